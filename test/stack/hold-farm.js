/** Starts a farm that shall not outlive this process; prints one line of JSON when it runs. */
const [, , home] = process.argv;
const { up } = await import('../../dist/infra/stack/commands.js');
const { status } = await up({ home, nodes: 1, variables: { FARM_VOLATILE: '1', FARM_LOG_LEVEL: 'warn' } });
process.stdout.write(`${JSON.stringify(status)}\n`);
setInterval(() => {}, 1000);
