// What happens to feature maps in the training of a MobileNetV2, on a processor, in one pass each.
//
// Maps are bfloat16, N x H x W x C, C a multiple of 8; all arithmetic is float32, sums over a map are double. A
// map y is what a convolution has put out; scale and shift (C each) stand for its batch normalisation, and
// z = relu6(scale y + shift) is made again wherever it is needed instead of being kept. Gradients g are those
// of z, and those of ReLU6 are applied on the way. `blocks.py` puts the passes together.
//
// Vectors are those of GCC and Clang, 16 channels at a time, so that it compiles for any processor.

#include <cstdint>
#include <cstdlib>
#include <cstring>

typedef uint16_t bfloat16;
typedef float Lanes __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
typedef bfloat16 Halves __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))
#define LANES 16
#define ROWS 256  // so many rows are summed in float32 before they join the double sums

// `lanes` is 16, or 8 at the end of a row: a constant wherever these are inlined.
INLINE Lanes load(const bfloat16 *from, int lanes) {
  Halves in = {};
  memcpy(&in, from, lanes * sizeof(bfloat16));
  return (Lanes)(__builtin_convertvector(in, Words) << 16);
}

INLINE Lanes load_floats(const float *from, int lanes) {
  Lanes in = {};
  memcpy(&in, from, lanes * sizeof(float));
  return in;
}

INLINE void store(bfloat16 *to, Lanes value, int lanes) {  // to nearest, ties to even
  const Words words = (Words)value;
  const Halves out = __builtin_convertvector((words + 0x7fffu + ((words >> 16) & 1u)) >> 16, Halves);
  memcpy(to, &out, lanes * sizeof(bfloat16));
}

INLINE void store_floats(float *to, Lanes value, int lanes) { memcpy(to, &value, lanes * sizeof(float)); }

INLINE Lanes relu6(Lanes value) {
  const Lanes zero = {}, six = zero + 6.0f;
  value = value > zero ? value : zero;
  return value < six ? value : six;
}

INLINE Lanes where_open(Lanes normal, Lanes gradient) {  // the gradient, where relu6 passes one on
  const Lanes zero = {}, six = zero + 6.0f;
  return (normal > zero) & (normal < six) ? gradient : zero;
}

#define FOR_CHANNELS(BODY)                           \
  do {                                               \
    int64_t c = 0;                                   \
    for (; c + LANES <= channels; c += LANES) {      \
      const int lanes = LANES;                       \
      BODY                                           \
    }                                                \
    if (c < channels) {                              \
      const int lanes = LANES / 2;                   \
      BODY                                           \
    }                                                \
  } while (0)

static float *zeros(int64_t count) { return static_cast<float *>(calloc(count, sizeof(float))); }

static void flush(double *sums, float *part, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += part[i];
    part[i] = 0.0f;
  }
}

extern "C" {

// sums (2 x C, double): of y and of y^2 over the rows of a map.
void moments(const bfloat16 *map, int64_t rows, int64_t channels, double *sums) {
  float *part = zeros(2 * channels);
  for (int64_t row = 0; row < rows; ++row) {
    const bfloat16 *y = map + row * channels;
    FOR_CHANNELS({
      const Lanes value = load(y + c, lanes);
      store_floats(part + c, load_floats(part + c, lanes) + value, lanes);
      store_floats(part + channels + c, load_floats(part + channels + c, lanes) + value * value, lanes);
    });
    if ((row + 1) % ROWS == 0) flush(sums, part, 2 * channels);
  }
  flush(sums, part, 2 * channels);
  free(part);
}

// out = relu6(scale y + shift), or without relu6 and, unless `added` is null, plus another map.
void activate(const bfloat16 *map, const bfloat16 *added, int64_t rows, int64_t channels, const float *scale, const float *shift,
              int open, bfloat16 *out) {
  for (int64_t row = 0; row < rows; ++row) {
    const bfloat16 *y = map + row * channels, *more = added ? added + row * channels : nullptr;
    bfloat16 *to = out + row * channels;
    FOR_CHANNELS({
      Lanes value = load_floats(scale + c, lanes) * load(y + c, lanes) + load_floats(shift + c, lanes);
      if (!open) value = relu6(value);
      if (more) value += load(more + c, lanes);
      store(to + c, value, lanes);
    });
  }
}

// sums (2 x C, double): of g and of g y over the rows.
void gradient_moments(const bfloat16 *map, const bfloat16 *gradient, int64_t rows, int64_t channels, const float *scale,
                      const float *shift, int open, double *sums) {
  float *part = zeros(2 * channels);
  for (int64_t row = 0; row < rows; ++row) {
    const bfloat16 *y = map + row * channels, *from = gradient + row * channels;
    FOR_CHANNELS({
      const Lanes value = load(y + c, lanes);
      Lanes g = load(from + c, lanes);
      if (!open) g = where_open(load_floats(scale + c, lanes) * value + load_floats(shift + c, lanes), g);
      store_floats(part + c, load_floats(part + c, lanes) + g, lanes);
      store_floats(part + channels + c, load_floats(part + channels + c, lanes) + g * value, lanes);
    });
    if ((row + 1) % ROWS == 0) flush(sums, part, 2 * channels);
  }
  flush(sums, part, 2 * channels);
  free(part);
}

// The gradient of y in place of that of z: p g + q y + r, with p, q, r (3 x C) from batch normalisation.
void normalise_gradient(const bfloat16 *map, int64_t rows, int64_t channels, const float *scale, const float *shift,
                        const float *pqr, int open, bfloat16 *gradient) {
  const float *p = pqr, *q = pqr + channels, *r = q + channels;
  for (int64_t row = 0; row < rows; ++row) {
    const bfloat16 *y = map + row * channels;
    bfloat16 *at = gradient + row * channels;
    FOR_CHANNELS({
      const Lanes value = load(y + c, lanes);
      Lanes g = load(at + c, lanes);
      if (!open) g = where_open(load_floats(scale + c, lanes) * value + load_floats(shift + c, lanes), g);
      store(at + c, load_floats(p + c, lanes) * g + load_floats(q + c, lanes) * value + load_floats(r + c, lanes), lanes);
    });
  }
}

}  // extern "C"

// --- depthwise convolution, 3 x 3, padding 1; kernels 9 x C ----------------------------------------------------

typedef struct {
  int64_t height, width, channels, out_height, out_width, stride;
} Shape;

INLINE int64_t pitch(const Shape *shape) { return (shape->width + 2) * LANES; }

static float *bordered(const Shape *shape) { return zeros((shape->height + 2) * pitch(shape)); }

// Sixteen channels of a picture as z, or as they are where `scale` is null, within a border of zeros.
INLINE void activate_channels(const Shape *shape, const bfloat16 *picture, const float *scale, const float *shift, int64_t c, int lanes,
                              float *out) {
  const Lanes zero = {};
  const Lanes a = scale ? load_floats(scale + c, lanes) : zero, b = scale ? load_floats(shift + c, lanes) : zero;
  for (int64_t y = 0; y < shape->height; ++y) {
    const bfloat16 *from = picture + y * shape->width * shape->channels + c;
    float *to = out + (y + 1) * pitch(shape) + LANES;
    for (int64_t x = 0; x < shape->width; ++x, from += shape->channels, to += LANES) {
      const Lanes value = load(from, lanes);
      store_floats(to, scale ? relu6(a * value + b) : value, LANES);
    }
  }
}

INLINE void depthwise_channels(const Shape *shape, const float *in, const float *kernels, int64_t c, int lanes, bfloat16 *out,
                               double *sums) {
  const int64_t channels = shape->channels;
  Lanes k[9], first = {}, second = {};
  for (int t = 0; t < 9; ++t) k[t] = load_floats(kernels + t * channels + c, lanes);
  bfloat16 *to = out + c;
  for (int64_t y = 0; y < shape->out_height; ++y) {
    const float *top = in + y * shape->stride * pitch(shape);
    for (int64_t x = 0; x < shape->out_width; ++x, top += shape->stride * LANES, to += channels) {
      Lanes sum = {};
#pragma GCC unroll 9
      for (int t = 0; t < 9; ++t) sum += k[t] * load_floats(top + (t / 3) * pitch(shape) + (t % 3) * LANES, LANES);
      store(to, sum, lanes);
      first += sum;
      second += sum * sum;
    }
  }
  for (int i = 0; i < lanes; ++i) {
    sums[c + i] += first[i];
    sums[channels + c + i] += second[i];
  }
}

extern "C" {

// The convolution of z, and the sums (2 x C, double) of it and of its squares.
void depthwise(const bfloat16 *map, int64_t count, const Shape *shape, const float *scale, const float *shift, const float *kernels,
               bfloat16 *out, double *sums) {
  const int64_t channels = shape->channels;
  float *z = bordered(shape);
  for (int64_t n = 0; n < count; ++n) {
    const bfloat16 *picture = map + n * shape->height * shape->width * channels;
    bfloat16 *to = out + n * shape->out_height * shape->out_width * channels;
    FOR_CHANNELS({
      activate_channels(shape, picture, scale, shift, c, lanes, z);
      depthwise_channels(shape, z, kernels, c, lanes, to, sums);
    });
  }
  free(z);
}

}  // extern "C"

INLINE void depthwise_gradient_channels(const Shape *shape, const float *z, const bfloat16 *gradient, const float *kernels, int64_t c,
                                        int lanes, float *z_gradient, double *kernel_sums) {
  const int64_t channels = shape->channels;
  Lanes k[9], sums[9] = {};
  for (int t = 0; t < 9; ++t) k[t] = load_floats(kernels + t * channels + c, lanes);
  const bfloat16 *from = gradient + c;
  for (int64_t y = 0; y < shape->out_height; ++y) {
    for (int64_t x = 0; x < shape->out_width; ++x, from += channels) {
      const Lanes g = load(from, lanes);
      const int64_t corner = y * shape->stride * pitch(shape) + x * shape->stride * LANES;
#pragma GCC unroll 9
      for (int t = 0; t < 9; ++t) {
        const int64_t place = corner + (t / 3) * pitch(shape) + (t % 3) * LANES;
        sums[t] += g * load_floats(z + place, LANES);
        store_floats(z_gradient + place, load_floats(z_gradient + place, LANES) + k[t] * g, LANES);
      }
    }
  }
  for (int t = 0; t < 9; ++t)
    for (int i = 0; i < lanes; ++i) kernel_sums[t * channels + c + i] += sums[t][i];
}

INLINE void collect_gradient(const Shape *shape, const bfloat16 *picture, const float *z, const float *z_gradient, int open, int64_t c,
                             int lanes, bfloat16 *out, double *sums) {
  const int64_t channels = shape->channels;
  Lanes first = {}, second = {};
  const bfloat16 *from = picture + c;
  bfloat16 *to = out + c;
  for (int64_t y = 0; y < shape->height; ++y) {
    int64_t place = (y + 1) * pitch(shape) + LANES;
    for (int64_t x = 0; x < shape->width; ++x, place += LANES, from += channels, to += channels) {
      Lanes g = load_floats(z_gradient + place, LANES);
      if (!open) g = where_open(load_floats(z + place, LANES), g);
      store(to, g, lanes);
      first += g;
      second += g * load(from, lanes);
    }
  }
  for (int i = 0; i < lanes; ++i) {
    sums[c + i] += first[i];
    sums[channels + c + i] += second[i];
  }
}

extern "C" {

// For the gradient of the output: that of scale y + shift, those of the kernels (9 x C, double), and the sums
// (2 x C, double) of the first and of the first times y.
void depthwise_gradient(const bfloat16 *map, const bfloat16 *gradient, int64_t count, const Shape *shape, const float *scale,
                        const float *shift, const float *kernels, bfloat16 *out, double *kernel_sums, double *sums) {
  const int64_t channels = shape->channels;
  float *z = bordered(shape), *z_gradient = bordered(shape);
  for (int64_t n = 0; n < count; ++n) {
    const bfloat16 *picture = map + n * shape->height * shape->width * channels;
    const bfloat16 *from = gradient + n * shape->out_height * shape->out_width * channels;
    bfloat16 *to = out + n * shape->height * shape->width * channels;
    FOR_CHANNELS({
      activate_channels(shape, picture, scale, shift, c, lanes, z);
      memset(z_gradient, 0, (shape->height + 2) * pitch(shape) * sizeof(float));
      depthwise_gradient_channels(shape, z, from, kernels, c, lanes, z_gradient, kernel_sums);
      collect_gradient(shape, picture, z, z_gradient, scale == nullptr, c, lanes, to, sums);
    });
  }
  free(z);
  free(z_gradient);
}

}  // extern "C"
