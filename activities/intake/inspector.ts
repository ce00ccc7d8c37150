/**
 * Program of the child process that reads a stranger's scene. It gets a folder and a name, answers once over IPC and ends.
 * It has no environment (so no address, key or password), and its parent bounds its memory and time.
 */
import { toProblem } from '../../domain/errors.ts';
import { createPathTracerEngine } from '../../renderer/pathtracer/engine.ts';
import type { InspectionAnswer, InspectionQuestion } from './inspectIsolated.ts';

process.once('message', async (question: InspectionQuestion) => {
  const answer = await inspect(question);
  process.send!(answer, () => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
// From here on, whatever ends this process early is the scene's doing.
process.send!('ready' satisfies InspectionAnswer);

async function inspect({ files, choice }: InspectionQuestion): Promise<InspectionAnswer> {
  try {
    return { inspection: await createPathTracerEngine().inspect(files, choice) };
  } catch (error) {
    return { problem: toProblem(error) };
  }
}
