/** Holds the services of a home until somebody ends this process; prints one line of JSON when they run. */
const [, , home] = process.argv;
const { startStack } = await import('../../dist/infra/stack/stack.js');
const { PATH, HOME, FARM_CACHE, XDG_CACHE_HOME } = process.env;
const stack = await startStack({ home, volatile: true, variables: { PATH, HOME, FARM_CACHE, XDG_CACHE_HOME } });
process.stdout.write(`${JSON.stringify({ stackId: stack.keeper.stackId })}\n`);
setInterval(() => {}, 1000);
