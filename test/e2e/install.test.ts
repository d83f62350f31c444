import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { EXAMPLES, example } from './support/examples';
import {
	chatLines,
	importWorkflow,
	llamaCredential,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	textOf,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, LlamaServer } from './support/playground';

const PACKAGE = 'n8n-nodes-local-llama';
/** The ways to install, each with the folder below `.n8n` and how n8n names the nodes. */
const WAYS = [
	{ way: 'into the folder of custom nodes', folder: 'custom', prefix: 'CUSTOM', form: 'custom' },
	{ way: 'as by the interface', folder: 'nodes', prefix: PACKAGE, form: 'package' },
] as const;

let n8n: GateN8n;
let server: LlamaServer;

beforeAll(async () => {
	n8n = await theSharedN8n();
	server = await startLlamaServer({
		model: await scriptedModel([{ reply: 'Hello from the package.' }]),
	});
});
afterAll(stopEverything);

/** Names of the nodes in package.json, as n8n knows them. */
function ownNames(prefix: string): string[] {
	const file = path.join(process.cwd(), 'package.json');
	const manifest = JSON.parse(fs.readFileSync(file, 'utf8')) as { n8n: { nodes: string[] } };
	return manifest.n8n.nodes.map((node) => {
		const name = path.basename(node, '.node.js');
		return `${prefix}.${name[0]!.toLowerCase()}${name.slice(1)}`;
	});
}

const typeNames = async () => (await n8n.nodeTypes()).map(({ name }) => name);

it('the package is small', () => {
	expect(n8n.packedSize).toBeLessThan(600_000);
});

describe.each(WAYS)('the packed package, installed $way', ({ folder, prefix, form }) => {
	it('installs no dependencies', () => {
		const modules = path.join(n8n.userFolder, '.n8n', folder, 'node_modules');
		const names = fs.readdirSync(modules).filter((name) => !name.startsWith('.'));
		expect(names).toEqual([PACKAGE]);
	});

	it('has all its nodes in n8n', async () => {
		expect(await typeNames()).toEqual(expect.arrayContaining(ownNames(prefix)));
	});

	it('has all nodes of the examples', async () => {
		const names = await typeNames();
		const used = EXAMPLES.flatMap((name) =>
			example(name, undefined, form).nodes.map(({ type }) => type),
		);
		expect(used.filter((type) => !names.includes(type))).toEqual([]);
	});

	it('responds in a chat', async () => {
		const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
		const wiring = { local: credential, model: server.model };
		const { nodes, ...rest } = example('chat-with-local-model', wiring, form);
		// Both forms have the same address.
		const ownNodes = nodes.map((node) =>
			node.webhookId === undefined ? node : { ...node, webhookId: `installed-${folder}` },
		);
		await importWorkflow(n8n, { ...rest, nodes: ownNodes });
		const lines = await chatLines(n8n, `installed-${folder}`, 'Hello');
		expect(textOf(lines)).toBe('Hello from the package.');
	});
});
