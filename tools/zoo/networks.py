"""The networks of the zoo, each a function from a builder and an input size to the outputs.

Structures follow the papers and the common reference implementations; sizes are those that published
figures use. Classifiers end in logits, AlexNet and MobileNet v1 in Softmax. Left out: auxiliary classifiers
(training only) and the decoding of YOLO's boxes.
"""
CLASSES = 1000


def classifier(b, x, softmax=False):
    x = b.dense(b.global_average_pool(x), CLASSES, gain=4.0)
    return [b.softmax(x) if softmax else x]


# Residual networks.


def basic_block(b, x, channels, stride):
    y = b.conv_bn(x, channels, 3, stride)
    y = b.conv_bn(y, channels, 3, act=None, gain=0.5)
    return y, channels


def bottleneck(b, x, channels, stride):
    y = b.conv_bn(x, channels)
    y = b.conv_bn(y, channels, 3, stride)
    return b.conv_bn(y, 4 * channels, act=None, gain=0.5), 4 * channels


def resnet(block, depths):
    def build(b, size):
        x = b.conv_bn(b.input(3, size, size), 64, 7, 2)
        x = b.max_pool(x, 3, 2, 1)
        for stage, depth in enumerate(depths):
            for i in range(depth):
                stride = 2 if stage and not i else 1
                y, channels = block(b, x, 64 << stage, stride)
                if i == 0 and (stride > 1 or x.channels != y.channels):
                    x = b.conv_bn(x, channels, 1, stride, act=None)
                x = b.relu(b.add(y, x))
        return classifier(b, x)

    return build


def densenet121(b, size):
    x = b.conv_bn(b.input(3, size, size), 64, 7, 2)
    x = b.max_pool(x, 3, 2, 1)
    for stage, depth in enumerate((6, 12, 24, 16)):
        for _ in range(depth):
            y = b.conv(b.relu(b.batch_norm(x)), 128, bias=False)
            y = b.conv(b.relu(b.batch_norm(y)), 32, 3, bias=False)
            x = b.concat(x, y)
        x = b.relu(b.batch_norm(x))
        if stage < 3:
            x = b.average_pool(b.conv(x, x.channels // 2, bias=False, scale=False), 2)
    return classifier(b, x)


# Depthwise networks.


def depthwise(b, x, stride):
    return b.batch_norm(b.conv(x, x.channels, 3, stride, groups=x.channels, bias=False, scale=False))


def mobilenet_v1(b, size):
    x = b.conv_bn(b.input(3, size, size), 32, 3, 2)
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for channels, stride in plan:
        x = b.relu(depthwise(b, x, stride))
        x = b.conv_bn(x, channels)
    return classifier(b, x, softmax=True)


def mobilenet_v2(b, size):
    x = b.conv_bn(b.input(3, size, size), 32, 3, 2, act="relu6")
    plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, channels, repeats, first_stride in plan:
        for i in range(repeats):
            stride, y = first_stride if i == 0 else 1, x
            if expansion > 1:
                y = b.relu6(b.batch_norm(b.conv(y, expansion * x.channels, bias=False, scale=False)))
            y = b.relu6(depthwise(b, y, stride))
            y = b.conv_bn(y, channels, act=None, gain=0.5 if i else 1.0)
            x = b.add(x, y) if i else y
    return classifier(b, b.conv_bn(x, 1280, act="relu6"))


# Networks of parallel branches.


def googlenet(b, size):
    x = b.conv_relu(b.input(3, size, size), 64, 7, 2)
    x = b.lrn(b.max_pool(x, 3, 2, ceil=True))
    x = b.conv_relu(b.conv_relu(x, 64), 192, 3)
    x = b.max_pool(b.lrn(x), 3, 2, ceil=True)

    def inception(x, n1, r3, n3, r5, n5, np):
        return b.concat(
            b.conv_relu(x, n1),
            b.conv_relu(b.conv_relu(x, r3), n3, 3),
            b.conv_relu(b.conv_relu(x, r5), n5, 5),
            b.conv_relu(b.max_pool(x, 3, 1, 1), np),
        )

    x = inception(x, 64, 96, 128, 16, 32, 32)
    x = inception(x, 128, 128, 192, 32, 96, 64)
    x = b.max_pool(x, 3, 2, ceil=True)
    x = inception(x, 192, 96, 208, 16, 48, 64)
    x = inception(x, 160, 112, 224, 24, 64, 64)
    x = inception(x, 128, 128, 256, 24, 64, 64)
    x = inception(x, 112, 144, 288, 32, 64, 64)
    x = inception(x, 256, 160, 320, 32, 128, 128)
    x = b.max_pool(x, 3, 2, ceil=True)
    x = inception(x, 256, 160, 320, 32, 128, 128)
    x = inception(x, 384, 192, 384, 48, 128, 128)
    return classifier(b, x)


def inception_v3(b, size):
    c = b.conv_bn
    x = c(c(c(b.input(3, size, size), 32, 3, 2, 0), 32, 3, 1, 0), 64, 3)
    x = c(c(b.max_pool(x, 3, 2), 80), 192, 3, 1, 0)
    x = b.max_pool(x, 3, 2)

    def chain(x, *layers):
        for channels, kernel in layers:
            x = c(x, channels, kernel)
        return x

    for pooled in (32, 64, 64):
        x = b.concat(c(x, 64), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)),
                     c(b.average_pool(x, 3, 1, 1), pooled))
    x = b.concat(c(x, 384, 3, 2, 0), c(chain(x, (64, 1), (96, 3)), 96, 3, 2, 0), b.max_pool(x, 3, 2))
    for n in (128, 160, 160, 192):
        x = b.concat(c(x, 192), chain(x, (n, 1), (n, (1, 7)), (192, (7, 1))),
                     chain(x, (n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7))),
                     c(b.average_pool(x, 3, 1, 1), 192))
    x = b.concat(c(c(x, 192), 320, 3, 2, 0), c(chain(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, 2, 0),
                 b.max_pool(x, 3, 2))
    for _ in range(2):
        y, z = c(x, 384), chain(x, (448, 1), (384, 3))
        x = b.concat(c(x, 320), c(y, 384, (1, 3)), c(y, 384, (3, 1)), c(z, 384, (1, 3)), c(z, 384, (3, 1)),
                     c(b.average_pool(x, 3, 1, 1), 192))
    return classifier(b, x)


def squeezenet(b, size):
    def fire(x, squeeze, expand):
        x = b.conv_relu(x, squeeze)
        return b.concat(b.conv_relu(x, expand), b.conv_relu(x, expand, 3))

    x = b.conv_relu(b.input(3, size, size), 64, 3, 2, 0)
    for group in ([(16, 64)] * 2, [(32, 128)] * 2, [(48, 192)] * 2 + [(64, 256)] * 2):
        x = b.max_pool(x, 3, 2, ceil=True)
        for squeeze, expand in group:
            x = fire(x, squeeze, expand)
    x = b.relu(b.conv(x, CLASSES, gain=30.0))
    return [b.flatten(b.global_average_pool(x))]


# Chains.


def vgg16(b, size):
    x = b.input(3, size, size)
    for channels, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            x = b.conv_relu(x, channels, 3)
        x = b.max_pool(x, 2)
    x = b.relu(b.dense(x, 4096))
    return [b.dense(b.relu(b.dense(x, 4096)), CLASSES, gain=4.0)]


def alexnet(b, size):
    def even(n):
        return 2 * b.scaled(n / 2)  # two groups

    def conv(x, channels, *args, groups=1):
        return b.relu(b.conv(x, even(channels), *args, groups=groups, scale=False))

    x = b.max_pool(b.lrn(conv(b.input(3, size, size), 96, 11, 4, 0)), 3, 2)
    x = b.max_pool(b.lrn(conv(x, 256, 5, groups=2)), 3, 2)
    x = conv(conv(conv(x, 384, 3), 384, 3, groups=2), 256, 3, groups=2)
    x = b.max_pool(x, 3, 2)
    x = b.relu(b.dense(x, 4096))
    return [b.softmax(b.dense(b.relu(b.dense(x, 4096)), CLASSES, gain=4.0))]


# Detectors: the raw outputs of the heads, 3 boxes of 85 values at each place.

HEAD = 3 * 85


def leaky(b, x, channels, kernel=1, stride=1):
    return b.conv_bn(x, channels, kernel, stride, act="leaky_relu")


def yolov3(b, size):
    x, routes = leaky(b, b.input(3, size, size), 32, 3), []
    for stage, depth in enumerate((1, 2, 8, 8, 4)):
        channels = 64 << stage
        x = leaky(b, x, channels, 3, 2)
        for _ in range(depth):
            y = leaky(b, x, channels // 2)
            y = b.leaky_relu(b.batch_norm(b.conv(y, x.channels, 3, bias=False, scale=False), gain=0.5))
            x = b.add(x, y)
        routes.append(x)
    heads = []
    for stage, channels in enumerate((512, 256, 128)):
        if stage:
            x = b.concat(b.upsample(leaky(b, x, channels)), routes[4 - stage])
        for i in range(5):
            x = leaky(b, x, channels * (1 + i % 2), 1 + 2 * (i % 2))
        heads.append(b.conv(leaky(b, x, 2 * channels, 3), HEAD, scale=False))
    return heads


def yolov3_tiny(b, size):
    x = b.input(3, size, size)
    for stage in range(5):
        route = leaky(b, x, 16 << stage, 3)
        x = b.max_pool(route, 2)
    x = leaky(b, x, 512, 3)
    # The sixth pooling keeps the size: the row and column beyond the edge are padding.
    x = b.node("MaxPool", [x.name], x.channels, x.height, x.width, x.mean, x.variance, kernel_shape=[2, 2],
               strides=[1, 1], pads=[0, 0, 1, 1])
    x = leaky(b, leaky(b, x, 1024, 3), 256)
    first = b.conv(leaky(b, x, 512, 3), HEAD, scale=False)
    x = b.concat(b.upsample(leaky(b, x, 128)), route)
    return [first, b.conv(leaky(b, x, 256, 3), HEAD, scale=False)]


# name -> (builder function, published input size, smallest input size)
NETWORKS = {
    "resnet18": (resnet(basic_block, (2, 2, 2, 2)), 224, 32),
    "resnet50": (resnet(bottleneck, (3, 4, 6, 3)), 224, 32),
    "mobilenet_v1": (mobilenet_v1, 224, 32),
    "mobilenet_v2": (mobilenet_v2, 224, 32),
    "googlenet": (googlenet, 224, 32),
    "inception_v3": (inception_v3, 299, 75),
    "squeezenet": (squeezenet, 224, 32),
    "vgg16": (vgg16, 224, 32),
    "alexnet": (alexnet, 227, 67),
    "densenet121": (densenet121, 224, 32),
    "yolov3": (yolov3, 416, 32),
    "yolov3_tiny": (yolov3_tiny, 416, 32),
}
