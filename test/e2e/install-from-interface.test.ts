import { childProcess, fs, path, process } from '../support/node';
import { EXAMPLES, example } from './support/examples';
import {
	isOldestN8n,
	llamaCredential,
	newUserFolder,
	scriptedModel,
	startLlamaServer,
	startN8n,
	startNpmRegistry,
	stopEverything,
	workFolder,
	type LlamaServer,
	type N8nServer,
	type NpmRegistry,
} from './support/playground';

const SLOW = 900_000;
const NAME = 'n8n-nodes-local-llama';
const MANIFEST = JSON.parse(fs.readFileSync(path.join(process.cwd(), 'package.json'), 'utf8')) as {
	version: string;
	n8n: { nodes: string[] };
};
const NEXT_VERSION = MANIFEST.version.replace(/\d+$/, (patch) => String(Number(patch) + 1));

interface Installed {
	packageName: string;
	installedVersion: string;
	installedNodes: Array<{ type: string }>;
	updateAvailable?: string;
}

let registry: NpmRegistry;
let n8n: N8nServer;
let server: LlamaServer;
let userFolder: string;
let chatWebhook: string;
let chatId: string;

const own = (file: string) =>
	path.basename(file, '.node.js').replace(/^./, (letter) => letter.toLowerCase());
const EXPECTED = MANIFEST.n8n.nodes.map((file) => `${NAME}.${own(file)}`).sort();
const ownTypes = async () =>
	(await n8n.nodeTypes())
		.map(({ name }) => name)
		.filter((name) => name.startsWith(`${NAME}.`) && !name.endsWith('Tool'));
const packages = async () => await n8n.request<Installed[]>('GET', '/rest/community-packages');
const folder = () => path.join(userFolder, '.n8n', 'nodes', 'node_modules', NAME);

function npm(args: string[], cwd: string): void {
	const { status, stdout, stderr } = childProcess.spawnSync('npm', args, { cwd, encoding: 'utf8' });
	if (status !== 0)
		throw new Error(`npm ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
}

/** The packed package, and the same with a later version. */
function tarballs(): string[] {
	const scratch = workFolder('packed');
	npm(['pack', '--ignore-scripts', '--pack-destination', scratch], process.cwd());
	const current = path.join(scratch, `${NAME}-${MANIFEST.version}.tgz`);
	childProcess.execFileSync('tar', ['-xzf', current, '-C', scratch]);
	const manifest = path.join(scratch, 'package', 'package.json');
	fs.writeFileSync(
		manifest,
		JSON.stringify(
			{ ...(JSON.parse(fs.readFileSync(manifest, 'utf8')) as object), version: NEXT_VERSION },
			null,
			2,
		),
	);
	npm(['pack', '--ignore-scripts', '--pack-destination', scratch], path.join(scratch, 'package'));
	return [current, path.join(scratch, `${NAME}-${NEXT_VERSION}.tgz`)];
}

async function start(): Promise<N8nServer> {
	const env = { ...registry.env, N8N_COMMUNITY_PACKAGES_ENABLED: 'true', HOME: userFolder };
	return await startN8n({ userFolder, customExtensions: [], env });
}

async function chat(text: string): Promise<string> {
	let answer = '';
	for await (const { type, content } of n8n.chat(chatWebhook, text))
		if (type === 'item') answer += content ?? '';
	return answer;
}

let current: string;
let next: string;

beforeAll(async () => {
	[current, next] = tarballs() as [string, string];
	registry = await startNpmRegistry();
	await registry.publish(current);
	userFolder = await newUserFolder();
	server = await startLlamaServer({
		model: await scriptedModel([{ reply: 'Hello from the real server.' }]),
	});
	n8n = await start();
}, SLOW);

afterAll(async () => await stopEverything(), SLOW);

// The tests depend on each other: each continues where the one before ended.
describe("n8n's own installer", () => {
	it(
		'installs the package, with nothing beside it, and n8n has the nodes at once',
		async () => {
			expect(await ownTypes()).toEqual([]);
			const installed = await n8n.request<Installed>('POST', '/rest/community-packages', {
				name: NAME,
			});
			expect(installed).toMatchObject({ packageName: NAME, installedVersion: MANIFEST.version });
			expect((await ownTypes()).sort()).toEqual(EXPECTED);
			expect(installed.installedNodes.map(({ type }) => type).sort()).toEqual(EXPECTED);
			expect(fs.existsSync(path.join(folder(), 'node_modules'))).toBe(false);
			expect(
				fs.readdirSync(path.dirname(folder())).filter((name) => !name.startsWith('.')),
			).toEqual([NAME]);
			expect(registry.requests).toContain(`GET /${NAME}/-/${NAME}-${MANIFEST.version}.tgz`);
			// Only this package was requested, since it has no dependencies. (npm checks for a newer npm.)
			expect(
				registry.requests.filter(
					(request) => !request.startsWith(`GET /${NAME}`) && request !== 'GET /npm',
				),
			).toEqual([]);
		},
		SLOW,
	);

	it(
		'knows every node of the examples in their package form, and runs one',
		async () => {
			const known = new Set((await n8n.nodeTypes()).map(({ name }) => name));
			const used = EXAMPLES.flatMap((name) =>
				example(name, undefined, 'package').nodes.map(({ type }) => type),
			);
			expect(used.filter((type) => !known.has(type))).toEqual([]);

			const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
			const workflow = await n8n.createWorkflow(
				example('chat-with-local-model', { local: credential, model: server.model }, 'package'),
			);
			chatId = workflow.id;
			chatWebhook = workflow.nodes.find(({ type }) => type.endsWith('.chatTrigger'))!.webhookId!;
			await n8n.activate(chatId);
			expect(await chat('Hello')).toBe('Hello from the real server.');
		},
		SLOW,
	);

	it(
		'upgrades, and the workflow goes on',
		async () => {
			await registry.publish(next);
			expect(await packages()).toMatchObject([
				{ packageName: NAME, installedVersion: MANIFEST.version, updateAvailable: NEXT_VERSION },
			]);
			const upgraded = await n8n.request<Installed>('PATCH', '/rest/community-packages', {
				name: NAME,
			});
			expect(upgraded.installedVersion).toBe(NEXT_VERSION);
			expect((await ownTypes()).sort()).toEqual(EXPECTED);
			expect(await chat('Hello again')).toBe('Hello from the real server.');
			expect(
				(
					JSON.parse(fs.readFileSync(path.join(folder(), 'package.json'), 'utf8')) as {
						version: string;
					}
				).version,
			).toBe(NEXT_VERSION);
		},
		SLOW,
	);

	it(
		'has the nodes after a restart, and the workflow goes on by itself',
		async () => {
			await n8n.stop();
			n8n = await start();
			expect((await ownTypes()).sort()).toEqual(EXPECTED);
			expect(await chat('And now?')).toBe('Hello from the real server.');
		},
		SLOW,
	);

	it(
		'uninstalls and leaves nothing',
		async () => {
			await n8n.request('DELETE', `/rest/community-packages?name=${NAME}`);
			expect(await ownTypes()).toEqual([]);
			expect(await packages()).toEqual([]);
			expect(fs.existsSync(folder())).toBe(false);
			const ledger = JSON.parse(
				fs.readFileSync(path.join(userFolder, '.n8n', 'nodes', 'package.json'), 'utf8'),
			) as {
				dependencies: object;
			};
			// n8n 2.20 deletes the folder, but not the entry in package.json.
			expect(ledger.dependencies).toEqual(isOldestN8n() ? { [NAME]: NEXT_VERSION } : {});
			await n8n.stop();
			n8n = await start();
			expect(await ownTypes()).toEqual([]);
			// The workflow and its settings are kept, for a later installation.
			const kept = await n8n.request<{ nodes: Array<{ type: string }> }>(
				'GET',
				`/rest/workflows/${chatId}`,
			);
			expect(kept.nodes.map(({ type }) => type)).toContain(`${NAME}.localChatModel`);
		},
		SLOW,
	);
});
