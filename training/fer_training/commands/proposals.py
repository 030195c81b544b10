"""`proposals`: train the network that says where faces may be, and write `proposals.onnx`."""

import argparse

import cv2

from fer_gateway.inference.proposals import ProposalCard, ProposalModel
from fer_training.detection.pictures import load_material
from fer_training.network.size import count_parameters
from fer_training.proposals.export import mean_scores, write_proposals
from fer_training.proposals.network import ProposalNet
from fer_training.proposals.train import ProposalConfig, train
from fer_training.proposals.views import FACE_PX
from fer_training.release.provenance import provenance


def run(arguments: argparse.Namespace) -> None:
    """Train on the training part, and export; `detection` then tells what it finds."""
    cv2.setNumThreads(1)
    material = load_material(arguments.data, "train", skip_broken=arguments.skip_broken)
    config = ProposalConfig(steps=arguments.steps)
    network = train([portrait.image for portrait in material.faces], material.grounds, config)
    write_proposals(network, card_of(network, arguments.version), arguments.out)
    card = ProposalModel.open(arguments.out).card
    print(f"`{arguments.out}`: {card.parameters:,} parameters; `detection` tells what it finds")


def card_of(network: ProposalNet, version: str) -> ProposalCard:
    """The facts of a trained network."""
    return ProposalCard(
        name="fer-proposals",
        version=version,
        face_px=FACE_PX,
        parameters=count_parameters(network),
        provenance=provenance("Started from random weights; grounds are pictures of scikit-image."),
        self_test=mean_scores(network),
    )
