/** Uploads a folder and makes a job of it: a process that `upload-kill.test.ts` kills. Arguments: API, key, folder, memory. */
import { FarmClient } from '../../dist/cli/sdk/client.js';
import { readProject } from '../../dist/cli/sdk/project.js';
import { uploadFiles } from '../../dist/cli/sdk/upload/upload.js';

const [url, key, root, memory] = process.argv.slice(2);
const client = new FarmClient({ url, key });
const project = await readProject(root);
let sentBytes = 0;
const onProgress = (progress) => {
  sentBytes = progress.sentBytes;
};
const { files, blobs, sendAgain, close } = await uploadFiles(client, project.files, { memory, onProgress });
const { id, missing } = await client.createJob({ name: 'killed', main: project.main, files, blobs });
await sendAgain(missing);
await close();
process.stdout.write(JSON.stringify({ id, sentBytes }));
