/** Runs every node against a server that echoes keys in its errors. Shared by the suites in this folder. */
import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
} from 'n8n-workflow';

import { DIFY_OPERATIONS } from '../../fault-injection/dify-operations';
import { MODEL_OPERATIONS } from '../../fault-injection/model-operations';
import { FAULTS, startEchoServer, type EchoServer } from '../../simulators/echo-server';
import { canary, echoForms, Search } from '../../support/canaries';
import { everyOperation, withLowLimits, type FilledNode } from '../../support/every-operation';
import { executeContext } from '../../support/execute-context';
import { fs, path, process, util } from '../../support/node-builtins';
import { isTriedPair } from '../../support/properties';

const secrets = {
	key: canary(24, '+/'),
	headerValue: canary(24, '&<%'),
	cookie: canary(20),
	difyKey: canary(24),
};
/** Secrets in a credential for model servers. */
export const MODEL_SECRETS = ['key', 'headerValue', 'cookie'] as const;
/** Local Llama has as many operations as all other nodes together: two suites share them. */
export const TEXT_RESOURCES = ['text', 'vector', 'token'];

const search = new Search(secrets);

const EXTRA_HEADERS = [
	{ name: 'X-Proxy-Token', value: secrets.headerValue },
	{ name: 'Cookie', value: `session=${secrets.cookie}; theme=dark` },
];
const ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';

let server: EchoServer;
let elsewhere: EchoServer;

/** Call at the top of each suite: starts its servers. */
function useServers(): void {
	beforeAll(async () => {
		elsewhere = await startEchoServer(echoForms);
		server = await startEchoServer(echoForms, elsewhere.url);
	});
	afterAll(async () => {
		await Promise.all([server, elsewhere].map(async (one) => await one.close()));
	});
}

const { n8n: manifest } = JSON.parse(
	fs.readFileSync(path.join(process.cwd(), 'package.json'), 'utf8'),
) as {
	n8n: { nodes: string[] };
};

async function nodeOf(name: string): Promise<INodeType> {
	const module = (await import(`../../../nodes/${name}/${name}.node`)) as Record<
		string,
		new () => INodeType
	>;
	return new module[name]!();
}

/** Path prefix of each operation: shows that it sent its requests. */
const pathOf = (name: string) => name.replace(/\W+/g, '-');

function credentialsFor(
	fault: string,
	{ name, credentials }: FilledNode,
): ICredentialDataDecryptedObject {
	if (credentials.includes('difyApi'))
		return {
			baseUrl: `${server.at(fault)}/${pathOf(name)}/v1`,
			apiKey: `app-${secrets.difyKey}`,
			keyType: 'app',
		};
	return {
		baseUrl: `${server.at(fault)}/${pathOf(name)}`,
		apiKey: `sk-${secrets.key}`,
		extraHeaders: { header: EXTRA_HEADERS },
	} as unknown as ICredentialDataDecryptedObject;
}

const toText = (seen: unknown) =>
	util.inspect(seen, {
		depth: 12,
		maxStringLength: Infinity,
		maxArrayLength: Infinity,
		showHidden: true,
	});

/** All data of an execution that n8n gets. */
async function runAndInspect(
	node: INodeType,
	filled: FilledNode,
	fault: string,
	continueOnFail: boolean,
): Promise<string> {
	const fake = executeContext({
		items: [
			{
				json: {},
				binary: { data: { data: 'aGVsbG8=', mimeType: 'text/plain', fileName: 'hello.txt' } },
			},
		],
		parameters: filled.parameters,
		credentials: credentialsFor(fault, filled),
		continueOnFail,
		streaming: true,
		type: filled.type,
	});
	const outcome = await node
		.execute!.call(fake.context as IExecuteFunctions)
		.catch((error: unknown) => error);
	// Files are passed through unchanged.
	const withoutFiles =
		GIVES_A_FILE.test(filled.name) && Array.isArray(outcome)
			? withoutBytes(outcome as Output)
			: outcome;
	return toText({
		outcome: withoutFiles,
		chunks: fake.chunks,
		hints: fake.hints,
		metadata: fake.metadata,
	});
}

type Output = INodeExecutionData[][];

const GIVES_A_FILE = /file download|audio speak/;

const withoutBytes = (output: Output) =>
	output.map((items) =>
		items.map(({ binary = {}, ...item }) => ({
			...item,
			binary: Object.values(binary).map((file) => ({ ...file, data: '' })),
		})),
	);

/** Nodes with operations; sub-nodes and triggers. */
export const withExecute: string[] = [];
const others: string[] = [];
for (const file of manifest.nodes) {
	const name = path.basename(file, '.node.js');
	const isAction = !/Trigger|ChatModel|Embeddings|Reranker|Retriever/.test(name);
	(isAction ? withExecute : others).push(name);
}

/** Runs operations concurrently. @returns the findings */
async function findLeaks<T>(
	cases: T[],
	label: (one: T) => string,
	inspect: (one: T) => Promise<string>,
): Promise<string[]> {
	const leaks: string[] = [];
	const worker = async () => {
		for (let one = cases.shift(); one !== undefined; one = cases.shift()) {
			const text = await inspect(one);
			leaks.push(...search.in(text).map((hit) => `${label(one!)}: ${hit}`));
		}
	};
	await Promise.all(Array.from({ length: MAX_CONCURRENT }, worker));
	return leaks;
}

const MAX_CONCURRENT = 40;

/** The operations of a node, as the editor can set it. */
async function operationsOf(name: string): Promise<FilledNode[]> {
	return everyOperation((await nodeOf(name)).description).map(withLowLimits);
}

/**
 * The suite of some nodes.
 *
 * @param sends the secrets that these nodes send to their servers
 * @param isSelected selects the operations that this suite tests
 */
export function testNodes(
	names: readonly string[],
	sends: ReadonlyArray<keyof typeof secrets>,
	isSelected: (filled: FilledNode) => boolean = () => true,
): void {
	useServers();

	it.each(names)(
		'%s shows nothing of the credential, in any operation, through any fault',
		async (name) => {
			const node = await nodeOf(name);
			const operations = (await operationsOf(name)).filter(isSelected);
			const cases = Object.keys(FAULTS).flatMap((fault, index) =>
				operations
					.map((filled, at) => ({ fault, filled, continueOnFail: (index + at) % 2 === 0 }))
					.filter((_, at) => isTriedPair(index, at)),
			);
			const leaks = await findLeaks(
				cases,
				({ fault, filled }) => `${filled.name}, ${fault}`,
				async ({ fault, filled, continueOnFail }) =>
					await runAndInspect(node, filled, fault, continueOnFail),
			);
			expect(leaks).toEqual([]);
			const requestedUrls = server.requests.map(({ url }) => url).join('\n');
			const withoutRequest = operations
				.filter((one) => !requestedUrls.includes(`/${pathOf(one.name)}/`))
				.map((one) => one.name);
			expect(withoutRequest.filter((one) => one !== REQUIRES_AUDIO)).toEqual([]);
		},
	);

	testKeys(sends);
}

/** Dify does not accept text files there. Its faults are in test/nodes/DifyApp. */
const REQUIRES_AUDIO = 'Dify Apps audio transcribe';

/** Uses of sub-nodes and triggers, as in the fault matrix. */
const USES = [...MODEL_OPERATIONS, ...DIFY_OPERATIONS].filter(({ node }) =>
	others.some((name) => name.toLowerCase() === node.toLowerCase()),
);

/** The suite of the nodes without operations. */
export function testOtherNodes(sends: ReadonlyArray<keyof typeof secrets>): void {
	useServers();

	it('every other node is used', () => {
		const used = new Set(USES.map(({ node }) => node.toLowerCase()));
		expect(others.filter((name) => !used.has(name.toLowerCase()))).toEqual([]);
		expect(withExecute.length + others.length).toBe(manifest.nodes.length);
	});

	it.each(USES.map((use) => [use.label, use] as const))(
		'%s shows nothing of the credential, through any fault',
		async (_label, use) => {
			const name = others.find((one) => one.toLowerCase() === use.node.toLowerCase())!;
			const nodes = { [use.node]: await nodeOf(name) };
			const cases = Object.keys(FAULTS).flatMap((fault) =>
				[true, false].map((streaming) => ({ fault, streaming })),
			);
			const leaks = await findLeaks(
				cases,
				({ fault }) => fault,
				async ({ fault, streaming }) => {
					const outcome = use.run({
						nodes,
						baseUrl: use.service === 'dify' ? `${server.at(fault)}/v1` : server.at(fault),
						apiKey: use.service === 'dify' ? `app-${secrets.difyKey}` : `sk-${secrets.key}`,
						id: ID,
						extraHeaders: EXTRA_HEADERS,
						limits: { firstToken: 2, idle: 2, total: 5 },
						signal: new AbortController().signal,
						helpers: {},
						big: false,
						tools: streaming,
						maxConcurrentRequests: 0,
						ignoreSslIssues: false,
						continueOnFail: false,
						streaming,
					});
					return toText(await outcome.catch((error: unknown) => error));
				},
			);
			expect(leaks).toEqual([]);
		},
	);

	testKeys(sends);
}

function testKeys(sends: ReadonlyArray<keyof typeof secrets>): void {
	it('each key was sent to the server of the credential, and to no other', () => {
		const getSentHeaders = ({ requests }: EchoServer) =>
			requests.map(({ headers }) => Object.entries(headers).join('\n')).join('\n');
		for (const [name, secret] of Object.entries(secrets))
			expect({ name, sent: getSentHeaders(server).includes(secret) }).toEqual({
				name,
				sent: sends.some((one) => one === name),
			});
		expect(elsewhere.requests.length).toBeGreaterThan(0);
		expect(search.in(JSON.stringify(elsewhere.requests))).toEqual([]);
	});
}
