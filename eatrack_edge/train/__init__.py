"""Teacher and student: sampling, losses, distillation and the loop. All of it is torch; none of it flies.

Read in this order::

    recipe          every choice of a run          session       from a recipe to a run and its weights
    pool            what targets are drawn from    shard_pool, sequence_pool, synthetic_pool: three kinds of data
    decoded_pictures  those of shards decoded once, for a GPU that would wait
    sampling        a sample from its index        warp          one warp from picture to crop
                                                   augment       the hard cases
    losses          focal, L1, GIoU, log size      forward       the network with its Stage-2 features
    distillation    what a teacher adds            masks         where the target is
    loop            steps, judgements, checkpoints loader, schedule, average, resume, parallel, log: its parts
    pairs           judging on held-out pairs      calibration   a confidence that is a probability
    pretrained      DINOv2, DeiT or a teacher as a start
"""
