/** What a report says in plain words of what was emulated and what is assumed. */

export const EMULATED: string[] = [
  'The links: each place is a network namespace of this machine, behind a veth pair whose bandwidth "tc tbf" shapes in both directions at MTU 1500. From 27 Mbit/s on, packets that the kernel cuts into segments later cross a link whole, counted with the headers that their segments would have. Their payload rate was measured with a plain TCP stream before the first run, once for each rate that a link has in any run; the studio’s own link, where it is shaped, is told its rate as the others are and is not measured.',
  'With the engine "replay", rendering: each frame was path traced beforehand by our own tracer and is handed out after the stated seconds, with the hash that it got then: writing and hashing a frame is part of these seconds. All frames are different, which is checked by hash before and after.',
  'With the engine "pathtracer", no rendering is emulated, but all nodes share the processor of this machine. The limit of a run counts with the mean of the seconds that its frames took on their nodes.',
  'Everything else is the real system: workflows, database, object stores, placement, staging, verification, commits, payment and delivery, as processes on this machine.',
];

export const ASSUMPTIONS: string[] = [
  'The article names five figures and no topology. This is one reading of them: a centre behind one link against ten sites behind a link each of the same width.',
  'Both sides have the same number of GPUs, the same software, the same project and the same settings.',
  "The studio's own link carries all sites at once; it is unshaped but in the sweep of it.",
  'Links are full duplex and have no propagation delay and no loss.',
  "A link's rate means payload of a plain TCP stream; headers take another 4.4 %.",
  'Before the first run, every node renders two frames of another, tiny project for another studio, which takes some of them, on both sides: programs are warm, as in a farm that was not started a moment ago. Stores, agents, nodes and the process that takes the studio’s frames go on from run to run. Each run has a studio of its own and begins with empty caches: of its project no byte is at a site then.',
  'Programs that had no work for more than a minute before a run are warmed once more, and the frames that a run will hand out are read, and their hashes compared, just before it: a machine that waits for long takes idle memory back.',
  'While the frames of a centre’s long run cross its link (all of them are committed), the sites are started and warmed over their own links, and the jobs of later runs are uploaded and quoted beside the studio; none of it crosses the centre’s link.',
  "One machine stands for all of the lab's. Where its processor is short, what runs on the studio's and on the farm's own machine (the process that receives the frames; the farm's services, database and home store) goes before what runs at the sites (nice -10) while the clock runs, on both sides: those machines do not share the sites' work.",
  'The stores of the sites read and write by way of the memory of the one machine, not past it to its disk (MINIO_API_ODIRECT=off), on both sides.',
  "The clock runs from the first lease, which is just before the first project byte leaves the home store beside the studio, to the last frame checked by hash on the studio's disk. Upload, quote and settlement stand beside it.",
];

/** Said where it is so. */
export const DROPPED =
  'The disk does not hold the delivered frames of a run beside those in the stores: while the clock runs, the benchmark reads and hashes each once more as it comes, and removes it.';
