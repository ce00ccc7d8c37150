/** `farm site`: the places where frames are rendered. Registering and changing them takes an operator's key. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { connect, connectAsOperator } from '../connection.ts';
import { table } from '../output/table.ts';
import { refuse } from '../sdk/errors.ts';
import type { SiteChange, SiteRequest, SiteView } from '../sdk/types.ts';
import { parseRate, rateText } from '../settings/rate.ts';
import { printJson, withErrors } from './run.ts';
import { addSiteAgent } from './siteAgent.ts';

interface SiteFlags {
  s3?: string;
  nearS3?: string;
  bucket?: string;
  region?: string;
  accessKey?: string;
  secretKey?: string;
  agent?: string;
  agentToken?: string;
  country?: string;
  down?: string;
  up?: string;
  priceFactor?: string;
  json?: boolean;
}

export function addSite(program: Command): void {
  const site = program.command('site').description('Sites: places with a store, nodes, a link and a price');
  const change = (name: string, description: string): Command =>
    facts(site.command(name).argument('<name>', 'name of the site').description(description))
      .option('--s3 <url>', "address of the site's object store, for the farm and the studios")
      .option('--near-s3 <url>', "the same store as the site's nodes reach it")
      .option('--bucket <name>', 'its bucket, made when missing (default: "framewright")')
      .option('--region <name>', 'its region (default: "us-east-1")')
      .option('--access-key <key>', 'access key (else FARM_SITE_ACCESS_KEY)')
      .option('--secret-key <key>', 'secret key (else FARM_SITE_SECRET_KEY)')
      .option('--agent <url>', 'address of the site agent, which verifies frames where they lie')
      .option('--agent-token <secret>', 'its token (else FARM_SITE_AGENT_TOKEN)')
      .option('--json', 'print JSON');
  change('add', 'Register a site; its store is reached first').action(
    withErrors(async (name: string, flags: SiteFlags) => {
      print(await connectAsOperator().addSite({ name, ...requestOf(flags) }), flags);
    }),
  );
  change('set', 'Change what is given; of a store or its agent, give all of it').action(
    withErrors(async (name: string, flags: SiteFlags) => {
      print(await connectAsOperator().changeSite(name, requestOf(flags)), flags);
    }),
  );
  const steer = (name: string, status: NonNullable<SiteChange['status']>, description: string): Command =>
    site
      .command(name)
      .argument('<name>', 'name of the site')
      .description(description)
      .option('--json', 'print JSON')
      .action(
        withErrors(async (which: string, { force, json }: { force?: boolean; json?: boolean }) => {
          print(await connectAsOperator().changeSite(which, { status, ...(force ? { force } : {}) }), { json });
        }),
      );
  steer('drain', 'draining', 'Let a site finish what it has and give it no new chunks');
  steer('resume', 'online', 'Give a drained site chunks again');
  steer('remove', 'removed', 'Take a site out for good and forget its keys').option(
    '--force',
    'also with frames there that no studio has fetched; they are lost',
  );
  site
    .command('list')
    .description('List sites')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (flags: { json?: boolean }) => {
        const sites = await connect().sites();
        if (flags.json) printJson(sites);
        else process.stdout.write(`${siteTable(sites)}\n`);
      }),
    );
  addSiteAgent(site);
}

const facts = (command: Command): Command =>
  command
    .option('--country <code>', 'where it is: DE, FR, …')
    .option('--down <rate>', 'what its link carries towards it: 330Mbit, 41MB')
    .option('--up <rate>', 'what its link carries away from it')
    .option('--price-factor <x>', 'price of work there relative to the tariff, such as 0.8');

/** Flags as the API wants them. @throws FarmApiError `SettingInvalid` before anything is sent */
function requestOf(flags: SiteFlags): Omit<SiteRequest, 'name'> {
  const priceFactor = flags.priceFactor === undefined ? undefined : Number(flags.priceFactor);
  if (priceFactor !== undefined && !(priceFactor > 0)) {
    throw refuse('SettingInvalid', `--price-factor is "${flags.priceFactor}".`, 'Give a number above 0.', {
      setting: 'price-factor',
    });
  }
  return {
    ...(flags.country === undefined ? {} : { country: flags.country.toUpperCase() }),
    ...(flags.down === undefined ? {} : { linkDownBytes: parseRate(flags.down, 'down') }),
    ...(flags.up === undefined ? {} : { linkUpBytes: parseRate(flags.up, 'up') }),
    ...(priceFactor === undefined ? {} : { priceFactor }),
    ...(flags.s3 === undefined ? noStore(flags) : { store: storeOf(flags, flags.s3) }),
  };
}

/** Without an address there is no store that the other flags could be about. @throws FarmApiError `SettingInvalid` when one is given */
function noStore(flags: SiteFlags): Record<string, never> {
  const about = ['nearS3', 'bucket', 'region', 'accessKey', 'secretKey', 'agent', 'agentToken'] as const;
  const given = about.find((flag) => flags[flag] !== undefined);
  if (given === undefined) return {};
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw refuse(
    'SettingInvalid',
    `--${flag} is about a store, and --s3 does not say which.`,
    'Add --s3 and all else of the store.',
    {
      setting: flag,
    },
  );
}

function storeOf(flags: SiteFlags, endpoint: string): NonNullable<SiteRequest['store']> {
  const { FARM_SITE_ACCESS_KEY, FARM_SITE_SECRET_KEY, FARM_SITE_AGENT_TOKEN } = process.env;
  const accessKey = flags.accessKey ?? FARM_SITE_ACCESS_KEY;
  const secretKey = flags.secretKey ?? FARM_SITE_SECRET_KEY;
  if (!accessKey || !secretKey) {
    throw refuse('SettingInvalid', 'The store needs its keys.', 'Add --access-key and --secret-key.', {
      setting: 's3',
    });
  }
  const token = flags.agentToken ?? FARM_SITE_AGENT_TOKEN;
  if (flags.agent !== undefined && !token) {
    throw refuse('SettingInvalid', 'The site agent needs its token.', 'Add --agent-token.', { setting: 'agent' });
  }
  return {
    ...{ endpoint, bucket: flags.bucket ?? 'framewright', region: flags.region ?? 'us-east-1', accessKey, secretKey },
    ...(flags.nearS3 === undefined ? {} : { nearEndpoint: flags.nearS3 }),
    ...(flags.agent === undefined || !token ? {} : { agent: { url: flags.agent, token } }),
  };
}

function print(site: SiteView, { json }: { json?: boolean }): void {
  if (json) printJson(site);
  else process.stdout.write(`${pc.bold(site.name)} is ${site.status}.\n`);
}

const siteTable = (sites: SiteView[]): string =>
  table(sites, [
    { title: 'site', value: ({ name }) => name },
    { title: 'status', value: ({ status }) => status },
    { title: 'nodes', right: true, value: ({ nodesOnline }) => String(nodesOnline) },
    { title: 'country', value: ({ country }) => country ?? '' },
    { title: 'down', right: true, value: ({ linkDownBytes }) => rateText(linkDownBytes) },
    { title: 'up', right: true, value: ({ linkUpBytes }) => rateText(linkUpBytes) },
    { title: 'price', right: true, value: ({ priceFactor }) => `${priceFactor}×` },
    { title: 'store', value: ({ kind, hasStore }) => (kind === 'home' ? "the farm's" : hasStore ? 'own' : 'at home') },
    { title: 'agent', value: ({ hasAgent }) => (hasAgent ? 'yes' : '') },
  ]);
