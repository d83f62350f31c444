/**
 * Keys, passwords and headers of credentials never leak: not into n8n's database, log, executions, error items, streamed
 * chats, or responses to a browser, for anything the servers echo.
 */
import type { INodeTypeDescription } from 'n8n-workflow';

import { FAULTS, startEchoServer, type EchoServer } from '../simulators/echo-server';
import { startLlamaServerSim } from '../simulators/llama-server';
import { canary, echoForms, Search } from '../support/canaries';
import { everyOperation, withLowLimits, type FilledNode } from '../support/every-operation';
import { fs, path, process } from '../support/node-builtins';
import {
	actionsBehindFile,
	ADDRESSES,
	badAddress,
	chats,
	credentialData,
	everySubNode,
	filledStore,
	partOf,
	secrets,
	startWithFile,
	type Credentials,
	type Named,
	type Parts,
} from './support/canary-workflows';
import { openEditor, type Editor } from '../e2e/support/editor';
import {
	chatLines,
	importWorkflow,
	isOldestN8n,
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
} from '../e2e/support/playground';
import { workflowOf } from '../e2e/support/workflows';

const SLOW = 900_000;
/** Concurrent executions. */
const AT_ONCE = 4;
/** Each operation is tested with every n-th fault here, and with all in the unit tests (test/nodes/secrets/). */
const SHARES = 8;

/** A unique text in an allowed location: shows that the search finds it. */
const control = canary(24);
const search = new Search(secrets);

/** Texts that users saw. */
const captured: string[] = [];
function capture(what: string, seen: unknown): void {
	captured.push(`${what}: ${typeof seen === 'string' ? seen : JSON.stringify(seen)}`);
}
const leaks = () => captured.flatMap((seen) => search.in(seen));

let n8n: N8nServer;
let editor: Editor | undefined;
let first: EchoServer;
let second: EchoServer;
let elsewhere: EchoServer;
let embedding: Awaited<ReturnType<typeof startLlamaServerSim>>;
let well: Credentials;
let types: INodeTypeDescription[];
let actions: FilledNode[];
let triggers: FilledNode[];
let subNodes: Record<string, FilledNode>;

beforeAll(async () => {
	n8n = await startN8n({
		env: {
			N8N_LOG_LEVEL: 'debug',
			N8N_LOG_OUTPUT: 'console,file',
			// In addition to the database, which is searched completely.
			N8N_LOG_FILE_LOCATION: 'logs/n8n.log',
		},
	});
	elsewhere = await startEchoServer(echoForms);
	first = await startEchoServer(echoForms, elsewhere.url);
	second = await startEchoServer(echoForms, elsewhere.url);
	embedding = await startLlamaServerSim({ embeddings: { dimensions: 8 } });
	const { n8n: manifest } = JSON.parse(
		fs.readFileSync(path.join(process.cwd(), 'package.json'), 'utf8'),
	) as {
		n8n: { nodes: string[] };
	};
	const names = manifest.nodes.map((file) => path.basename(file, '.node.js').toLowerCase());
	types = ((await n8n.nodeTypes()) as unknown as INodeTypeDescription[]).filter(({ name }) =>
		names.includes(name.replace('CUSTOM.', '').toLowerCase()),
	);
	expect(types).toHaveLength(names.length);
	const isSub = ({ outputs }: INodeTypeDescription) => !JSON.stringify(outputs).includes('main');
	const operations = types
		.filter((type) => !isSub(type))
		.flatMap(everyOperation)
		.map(withLowLimits);
	triggers = operations.filter(({ type }) => /trigger$/i.test(type));
	actions = operations.filter((one) => !triggers.includes(one) && !GIVES_A_FILE.test(one.name));
	subNodes = Object.fromEntries(
		types
			.filter(isSub)
			.map(
				(type) =>
					[type.name.replace('CUSTOM.', ''), withLowLimits(everyOperation(type)[0]!)] as const,
			),
	);
	// Otherwise no server is called.
	subNodes.difyRetriever!.parameters.difyDatasetIds = ['3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90'];
	const credentials = await credentialsFor('none');
	well = {
		...credentials,
		localLlamaApi: await stored('well', 'localLlamaApi', { baseUrl: embedding.url }),
	};
	await run(filledStore(subNodes.localEmbeddings!, well));
}, SLOW);
afterAll(async () => {
	await editor?.close();
	await stopEverything();
	await Promise.all(
		[first, second, elsewhere, embedding].map(async (server) => await server.close()),
	);
});

/** Operations that return a server's bytes unchanged. */
const GIVES_A_FILE = /file download|audio speak/;

async function stored(name: string, type: string, data: Record<string, unknown>): Promise<Named> {
	const { id } = await n8n.createCredential({ name, type, data });
	return { id, name };
}

const dataFor = (fault: string) => credentialData(first.at(fault), second.at(fault));

async function credentialsFor(
	fault: string,
	local: 'local' | 'basic' = 'local',
): Promise<Credentials> {
	const data = dataFor(fault);
	const [localLlamaApi, difyApi, knowledge] = await Promise.all([
		stored(`model server ${fault}`, 'localLlamaApi', data[local]),
		stored(`app ${fault}`, 'difyApi', data.dify),
		stored(`knowledge ${fault}`, 'difyApi', data.knowledge),
	]);
	return { localLlamaApi, difyApi, knowledge };
}

async function run(parts: Parts): Promise<Execution> {
	const created = await n8n.createWorkflow(workflowOf('Secrets', parts));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

/** n8n's response, including errors. */
async function captureResponse(
	what: string,
	method: string,
	route: string,
	body?: unknown,
): Promise<void> {
	capture(what, await n8n.request<unknown>(method, route, body).catch(String));
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
	const waiting = [...items];
	const worker = async () => {
		for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Stored data of an execution, and the nodes that ran. */
async function captureRun(what: string, parts: Parts, ran: Set<string>): Promise<void> {
	const { data } = await run(parts);
	capture(what, data);
	for (const name of Object.keys(data.resultData.runData)) ran.add(name);
}

it(
	'server echoes: every operation of every node',
	async () => {
		const ran = new Set<string>();
		await inTurns([...Object.keys(FAULTS).entries()], async ([index, fault]) => {
			const isOdd = index % 2 === 1;
			const credentials = await credentialsFor(fault, isOdd ? 'basic' : 'local');
			const share = actions.filter((_, at) => at % SHARES === index % SHARES);
			const onError = isOdd ? 'continueErrorOutput' : 'continueRegularOutput';
			await captureRun(fault, actionsBehindFile(share, credentials, onError), ran);
			await captureRun(fault, everySubNode(subNodes, credentials, well), ran);
		});
		expect(leaks()).toEqual([]);
		const subNames = ['Local Chat Model', 'Local Embeddings', 'Local Reranker', 'Dify Retriever'];
		expect(
			[...actions.map(({ name }) => name), ...subNames].filter((name) => !ran.has(name)),
		).toEqual([]);
	},
	SLOW,
);

/** Dynamic options that the editor loads for a node's fields, by method. */
function listsOf({ name: type, properties }: INodeTypeDescription) {
	const found = properties.flatMap(({ name: field, modes = [], typeOptions }) => {
		const { loadOptionsMethod, resourceMapper } = typeOptions ?? {};
		return [
			...modes.map(
				({ typeOptions: own }) => [own?.searchListMethod, 'resource-locator-results'] as const,
			),
			[loadOptionsMethod, 'options'] as const,
			[resourceMapper?.resourceMapperMethod, 'resource-mapper-fields'] as const,
		].flatMap(([method, kind]) => (method === undefined ? [] : [{ type, field, method, kind }]));
	});
	return [...new Map(found.map((list) => [list.method, list])).values()];
}

it(
	'requests of the editor: tests of credentials, lists and forms',
	async () => {
		const lists = types.flatMap(listsOf);
		expect(lists.length).toBeGreaterThan(5);
		await inTurns([...Object.keys(FAULTS).entries()], async ([index, fault]) => {
			const { local, basic, dify, knowledge } = dataFor(fault);
			for (const [type, data] of [
				['localLlamaApi', index % 2 === 0 ? local : basic],
				['difyApi', index % 2 === 0 ? dify : knowledge],
			] as const) {
				const { id } = await stored('tested', type, data);
				const credentials = { id, name: 'tested', type, data };
				await captureResponse(`test, ${fault}`, 'POST', '/rest/credentials/test', { credentials });
			}
			const credentials = await credentialsFor(fault);
			for (const { type, field, method, kind } of lists.filter((_, at) => at % 3 === index % 3)) {
				const difyApi = /knowledge|retriever/i.test(type)
					? credentials.knowledge
					: credentials.difyApi;
				await captureResponse(
					`${type} ${method}, ${fault}`,
					'POST',
					`/rest/dynamic-node-parameters/${kind}`,
					{
						nodeTypeAndVersion: { name: type, version: 1 },
						path: `parameters.${field}`,
						methodName: method,
						currentNodeParameters: {},
						credentials: { localLlamaApi: credentials.localLlamaApi, difyApi },
					},
				);
			}
		});
		expect(leaks()).toEqual([]);
	},
	SLOW,
);

it(
	'URLs that contain a password or a key, which are rejected',
	async () => {
		const ran = new Set<string>();
		const oneOfEach = actions.filter(
			({ type }, at) => actions.findIndex((one) => one.type === type) === at,
		);
		for (const [what, address] of Object.entries(ADDRESSES)) {
			const data = badAddress(address);
			const difyApi = await stored(`dify ${what}`, 'difyApi', data.dify);
			const knowledge = await stored(`knowledge ${what}`, 'difyApi', data.knowledge);
			for (const local of [data.local, data.further]) {
				const localLlamaApi = await stored(`address ${what}`, 'localLlamaApi', local);
				const allCredentials = { localLlamaApi, difyApi, knowledge };
				await captureRun(
					what,
					actionsBehindFile(oneOfEach, allCredentials, 'continueRegularOutput'),
					ran,
				);
				await captureRun(what, everySubNode(subNodes, allCredentials, well), ran);
				const credentials = { ...localLlamaApi, type: 'localLlamaApi', data: local };
				await captureResponse(`test, ${what}`, 'POST', '/rest/credentials/test', { credentials });
			}
		}
		expect(leaks()).toEqual([]);
		expect(captured.join()).toContain('contains a user name or password');
		expect(captured.join()).toContain('contains a query');
	},
	SLOW,
);

it(
	'streamed chats, and triggers that cannot start',
	async () => {
		await inTurns(
			['refusedInJson', 'errorInStream', 'errorOfDifyInStream', 'strayLines', 'page'],
			async (fault) => {
				const credentials = await credentialsFor(fault);
				const dify = actions.find(({ type }) => type === 'CUSTOM.difyChatMessage')!;
				const webhook = `secrets-${fault}`;
				const parts = chats(
					webhook,
					partOf(subNodes.localChatModel!, credentials),
					partOf(dify, credentials),
				);
				for (const [name, chat] of Object.entries(parts)) {
					const { id } = await importWorkflow(n8n, workflowOf(`Chat ${name} ${fault}`, chat));
					const lines = await chatLines(n8n, `${webhook}-${name}`, 'Hello');
					expect({ fault, name, lines: lines.length > 0 }).toEqual({ fault, name, lines: true });
					capture(`chat ${name}, ${fault}`, lines);
					await captureResponse('end', 'POST', `/rest/workflows/${id}/deactivate`, {});
				}
				for (const trigger of triggers) {
					const part = partOf(trigger, credentials);
					const parameters = { ...part.parameters, pollTimes: { item: [{ mode: 'everyHour' }] } };
					const created = await n8n.createWorkflow(
						workflowOf(trigger.name, { Trigger: { ...part, parameters } }),
					);
					capture(
						`${trigger.name}, ${fault}`,
						(await n8n.activate(created.id).catch(String)) ?? 'active',
					);
					await captureResponse('end', 'POST', `/rest/workflows/${created.id}/deactivate`, {});
				}
			},
		);
		expect(leaks()).toEqual([]);
	},
	SLOW,
);

const OPEN_FIELDS = /"(?:baseUrl|name)":"(?:[^"\\]|\\.)*"/g;

it(
	'the pages of the editor, with the details of an error open',
	async () => {
		const credentials = await credentialsFor('refusedInJson');
		const chat = actions.find(({ name }) => name.endsWith('text chat'))!;
		const { id } = await n8n.createWorkflow(
			workflowOf('Pages', {
				Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Fails'] },
				Fails: partOf(chat, credentials),
			}),
		);
		editor = await openEditor(n8n);
		const { page, get } = editor;
		let bodies = 0;
		page.on('response', (response) => {
			if (!response.url().includes('/rest/')) return;
			void response.text().then(
				(text) => {
					bodies++;
					// The credential's form shows its owner the typed addresses and header names.
					const isForm = response.url().includes('/rest/credentials');
					capture(`browser, ${response.url()}`, isForm ? text.replace(OPEN_FIELDS, '') : text);
				},
				() => {},
			);
		});
		page.on('websocket', (socket) =>
			socket.on('framereceived', ({ payload }) => capture('push', String(payload))),
		);
		page.on('console', (message) => capture('console', message.text()));
		await editor.openWorkflow(id);
		await get('execute-workflow-button').first().click();
		await page.locator('.el-notification').first().waitFor();
		await editor.openNode('Fails');
		const errorView = page.locator('.node-error-view').first();
		await errorView.waitFor();
		for (const summary of await errorView.locator('summary').all()) await summary.click();
		const bodyText = await page.locator('body').innerText();
		expect(bodyText).toContain('rejected the API key');
		capture('words of the page', bodyText);
		capture('page', await page.content());
		await page.goto(`${n8n.url}/home/credentials`);
		await page.getByText('model server refusedInJson').first().waitFor();
		capture('list of credentials', await page.content());
		expect(bodies).toBeGreaterThan(5);
		expect(leaks()).toEqual([]);
	},
	SLOW,
);

it('each secret was sent to its own server, and to no other', () => {
	const getSentHeaders = ({ requests }: EchoServer) =>
		requests.map(({ headers }) => Object.entries(headers).join('\n')).join('\n');
	const atFirst = getSentHeaders(first);
	for (const name of [
		'key',
		'headerValue',
		'headerName',
		'cookie',
		'difyKey',
		'knowledgeKey',
	] as const)
		expect({ name, sent: atFirst.includes(secrets[name]) }).toEqual({ name, sent: true });
	expect(atFirst).toContain(Buffer.from(`anna:${secrets.passwordOfBasic}`).toString('base64'));
	expect(atFirst).not.toContain(secrets.furtherKey);
	expect(getSentHeaders(second)).toContain(secrets.furtherKey);
	expect(getSentHeaders(second)).not.toContain(secrets.key);
	// Redirects lead there.
	expect(elsewhere.requests.length).toBeGreaterThan(0);
	expect(search.in(JSON.stringify(elsewhere.requests))).toEqual([]);
});

it(
	"n8n's database, log and files",
	async () => {
		await run(startWithFile(control));
		await n8n.stop();
		const folder = path.dirname(n8n.userFolder);
		const files = fs.readdirSync(folder, { recursive: true }).map(String);
		expect(files.filter((file) => file.endsWith('.log'))).not.toEqual([]);
		expect(files.some((file) => file.endsWith('database.sqlite'))).toBe(true);
		if (isOldestN8n()) {
			// At level "debug" n8n logs a server's response to its credential test (docs/security.md).
			for (const file of files.filter((name) => name.endsWith('.log'))) {
				const lines = fs.readFileSync(path.join(folder, file), 'utf8').split('\n');
				const others = lines.filter((line) => !/debug.*Credential test failed/.test(line));
				fs.writeFileSync(path.join(folder, file), others.join('\n'));
			}
		}
		// It would be found.
		expect(new Search({ control }).inFiles(folder).length).toBeGreaterThan(0);
		expect(search.inFiles(folder)).toEqual([]);
	},
	SLOW,
);
