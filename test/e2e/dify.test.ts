import type { DifyAppMode } from '../../lib/dify/types';
import { waitFor } from '../support/waiting/wait-for';
import { appKey, startDifySim } from '../simulators/dify';
import type { AppSpec, DifySim, Step, StreamKnobs } from '../simulators/dify';
import { createDeferred } from '../support/waiting/deferred';
import { afterShown } from './support/paced-stream';
import {
	chatLines,
	importWorkflow,
	stopEverything,
	textOf,
	theSharedN8n,
} from './support/playground';
import type { ChatLine, Execution, GateN8n } from './support/playground';
import { until } from './support/until';
import { chatTrigger, MANUAL, workflowOf } from './support/workflows';

const CHAT = 'Dify Chat Message';
const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let n8n: GateN8n;
const sims = new Set<DifySim>();

beforeAll(async () => {
	n8n = await theSharedN8n();
});
afterEach(async () => {
	const open = [...sims];
	sims.clear();
	await Promise.all(open.map(async (sim) => await sim.close()));
});
afterAll(stopEverything);

/** A Dify with one app, and its credential. */
async function startApp(mode: DifyAppMode, spec: Partial<AppSpec>, stream: StreamKnobs = {}) {
	const sim = await startDifySim({ apps: [{ mode, key: appKey(mode), ...spec }], stream });
	sims.add(sim);
	const { id, name } = await n8n.createCredential({
		name: `Dify ${mode}`,
		type: 'difyApi',
		data: { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' },
	});
	return { sim, credential: { id, name } };
}

type Credential = Awaited<ReturnType<typeof startApp>>['credential'];

const chatNode = (difyApi: Credential, parameters: Record<string, unknown> = {}) => ({
	type: 'CUSTOM.difyChatMessage',
	parameters: {
		query: '={{ $json.chatInput }}',
		user: '={{ $json.sessionId }}',
		conversation: 'new',
		inputsMode: 'json',
		inputsJson: '{}',
		options: {},
		...parameters,
	},
	credentials: { difyApi },
});

const readJson = ({ data }: Execution) =>
	data.resultData.runData[CHAT]!.at(-1)!.data!.main![0]![0]!.json;

async function onlyExecution(workflowId: string): Promise<Execution> {
	const [summary] = await n8n.listExecutions({ workflowId });
	return await n8n.waitForExecution(summary!.id);
}

const splitWords = (text: string) => text.split(/(?<= )/);
const STORY =
	'Once upon a time there was a <llama> & her "friend", 你好 😀, who lived in a small box. ';

/** A form with a mark of Dify's own page. */
const REVIEW = {
	nodeId: 'review',
	nodeTitle: 'Review',
	content: 'Publish the draft? Comment: {{#$output.comment#}}',
	inputs: [{ type: 'paragraph', output_variable_name: 'comment' }],
	actions: [
		{ id: 'approve', title: 'Publish' },
		{ id: 'reject', title: 'Throw away' },
	],
};

/** The texts of the messages of a chat. */
function messagesOf(lines: readonly ChatLine[]): string[] {
	const starts = lines.flatMap(({ type }, at) => (type === 'begin' ? [at] : []));
	return starts.map((start, index) => textOf(lines.slice(start, starts[index + 1])));
}

interface ChatRow {
	/** Continues "a response that …". */
	name: string;
	steps: Step[];
	/** Text of the closing event. Default: none. */
	closing?: string;
	/** Messages of the chat. */
	shown: string[];
	/** What the owner sees at the node. Default: nothing. */
	hint?: string;
}

describe('Chat Trigger → Dify Chat Message, streamed to the chat webhook', () => {
	it.each(['chat', 'agent-chat', 'agent', 'advanced-chat'] as const)(
		'streams the response: %s',
		async (mode) => {
			const isAgent = mode.startsWith('agent');
			const steps = isAgent
				? [{ round: { chunks: splitWords(STORY) } }]
				: splitWords(STORY).map((text) => ({ text }));
			const lines: ChatLine[] = [];
			const reply = () => ({ steps });
			const { sim, credential } = await startApp(mode, { reply }, afterShown(lines));
			const webhookId = `dify-${mode}`;
			const { id } = await importWorkflow(
				n8n,
				workflowOf(`Chat ${webhookId}`, {
					Chat: chatTrigger(webhookId, CHAT),
					[CHAT]: chatNode(credential),
				}),
			);
			const query = 'Tell me <b>"a story"</b> & more';
			await chatLines(n8n, webhookId, query, { sessionId: 'session', lines });
			const items = lines.filter(({ type }) => type === 'item');
			expect([lines[0]!.type, lines.at(-1)!.type]).toEqual(['begin', 'end']);
			expect(textOf(lines)).toBe(STORY);
			expect(items).toHaveLength(splitWords(STORY).length);
			expect(sim.runs).toMatchObject([{ query, user: 'session', responseMode: 'streaming' }]);
			expect(readJson(await onlyExecution(id))).toMatchObject({
				answer: STORY,
				conversationId: sim.runs[0]!.conversationId,
				messageId: sim.runs[0]!.messageId,
			});
		},
	);

	it.each<ChatRow>([
		{
			name: 'closes with a longer text',
			steps: [{ text: 'Start.' }],
			closing: 'Start. And the end.',
			shown: ['Start. And the end.'],
		},
		{
			name: 'closes with another text',
			steps: [{ text: 'Start. ' }, { text: 'End.' }],
			closing: 'Start. [pass] [pass] End.',
			shown: ['Start. End.\n\nStart. [pass] [pass] End.'],
		},
		{
			name: 'is replaced by the moderation',
			steps: [{ text: 'My password is ' }, { replace: 'I cannot say that.' }],
			closing: 'My password is llama',
			shown: ['My password is ', 'I cannot say that.'],
		},
		{
			name: 'waits for a person',
			steps: [{ text: 'One moment.' }, { pause: [REVIEW] }],
			shown: ['One moment.'],
			hint: 'The run waits for a person (Review). Answer its form in Dify, or submit it with Dify Workflow (Form: Submit) and one of its buttons: approve, reject.',
		},
		{
			name: 'waits for a person before its first text',
			steps: [{ pause: [REVIEW] }],
			shown: ['This request waits for human input, so there is no response yet.'],
			hint: 'The run waits for a person (Review). Answer its form in Dify, or submit it with Dify Workflow (Form: Submit) and one of its buttons: approve, reject.',
		},
		{
			name: 'begins with a warning of Dify',
			steps: [
				{ emit: 'warning', fields: { message: 'The knowledge base is being rebuilt' } },
				{ text: 'Hello.' },
			],
			closing: 'Hello.',
			shown: ['Hello.'],
			hint: 'Dify warns: "The knowledge base is being rebuilt"',
		},
	])('shows to a visitor a response that $name', async (row) => {
		const lines: ChatLine[] = [];
		const reply = () => ({ steps: row.steps, outputs: { answer: row.closing, files: [] } });
		const { credential } = await startApp('advanced-chat', { reply }, afterShown(lines));
		const webhookId = `dify-${row.name.replaceAll(' ', '-')}`;
		const { id } = await importWorkflow(
			n8n,
			workflowOf(`Chat ${webhookId}`, {
				Chat: chatTrigger(webhookId, CHAT),
				[CHAT]: chatNode(credential),
			}),
		);
		await chatLines(n8n, webhookId, 'Hi', { sessionId: 'session', lines });
		expect(messagesOf(lines)).toEqual(row.shown);
		const [run] = (await onlyExecution(id)).data.resultData.runData[CHAT]!;
		expect((run as { hints?: Array<{ message: string }> }).hints?.[0]?.message).toBe(row.hint);
	});

	it('Stop in n8n reaches the stop route of the app', async () => {
		const { sim, credential } = await startApp('advanced-chat', {
			reply: () => ({
				steps: [{ text: 'Once ' }, { text: 'upon ' }, { wait: 60_000 }, { text: 'never' }],
			}),
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Stopped', {
				Chat: chatTrigger('dify-stopped', CHAT),
				[CHAT]: chatNode(credential),
			}),
		);
		const reader = new AbortController();
		const receivedLines: ChatLine[] = [];
		const reading = chatLines(n8n, 'dify-stopped', 'go on', {
			signal: reader.signal,
			lines: receivedLines,
		}).catch(() => []);
		await waitFor(() => textOf(receivedLines) === 'Once upon ');
		const [running] = await n8n.listExecutions({ workflowId: id, status: ['running'] });
		await n8n.stopExecution(running!.id);
		await waitFor(() => sim.stops.length > 0);
		const { taskId } = sim.runs[0]!;
		expect(sim.stops).toEqual([{ taskId, user: 'session', mode: 'advanced-chat', hit: true }]);
		// The text so far is stored, since the node reads until Dify ends the stream.
		await waitFor(() => sim.runs[0]!.status === 'stopped');
		// n8n leaves the chat's own request open.
		reader.abort();
		await reading;
	});

	it('continues when the visitor closes the chat, and keeps the whole response', async () => {
		const left = createDeferred();
		const [first, ...rest] = splitWords(STORY).map((text) => ({ text }));
		const { sim, credential } = await startApp('chat', {
			reply: () => ({ steps: [first!, { wait: left.wait }, ...rest] }),
		});
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Left', {
				Chat: chatTrigger('dify-left', CHAT),
				[CHAT]: chatNode(credential),
			}),
		);
		const visitor = new AbortController();
		for await (const { type } of n8n.chat('dify-left', 'go on', { signal: visitor.signal }))
			if (type === 'item') break;
		visitor.abort();
		expect(sim.runs[0]!.status).toBe('running');
		left.open();
		const execution = await onlyExecution(id);
		expect([execution.status, readJson(execution).answer]).toEqual(['success', STORY]);
		expect(sim.stops).toEqual([]);
	});
});

it('sends files dropped into the chat', async () => {
	const { sim, credential } = await startApp('chat', {
		fileUpload: { enabled: true, types: ['image', 'document'], number: 5 },
	});
	const trigger = chatTrigger('dify-dropped', CHAT);
	const options = { responseMode: 'streaming', allowFileUploads: true };
	await importWorkflow(
		n8n,
		workflowOf('Dropped', {
			Chat: { ...trigger, parameters: { ...trigger.parameters, options } },
			[CHAT]: chatNode(credential, { files: { file: [{ source: 'all', type: 'auto' }] } }),
		}),
	);
	const body = new FormData();
	body.append('action', 'sendMessage');
	body.append('sessionId', 'anna');
	body.append('chatInput', 'What are these?');
	body.append('files', new Blob([Buffer.from(PIXEL, 'base64')], { type: 'image/png' }), 'a.png');
	body.append('files', new Blob(['one\ntwo'], { type: 'text/plain' }), 'b.txt');
	const address = `${n8n.url}/webhook/dify-dropped/chat`;
	const post = async () => await fetch(address, { method: 'POST', body });
	const response = await until(post, ({ status }) => status !== 404);
	const lines = (await response.text()).trim().split('\n');
	expect(textOf(lines.map((line) => JSON.parse(line) as ChatLine))).toBe(
		'You said: What are these?',
	);
	// n8n 2.20 has another order of a chat's files.
	const files = [...sim.runs[0]!.files].sort((one, other) =>
		String(one.filename).localeCompare(String(other.filename)),
	);
	expect(files).toMatchObject([
		{ type: 'image', filename: 'a.png' },
		{ type: 'document', filename: 'b.txt' },
	]);
});

it("sends the app's own form with the types of its fields", async () => {
	const form = [
		{ kind: 'text-input' as const, variable: 'city', label: 'City', required: true },
		{ kind: 'number' as const, variable: 'days' },
		{ kind: 'select' as const, variable: 'unit', options: ['C', 'F'], default: 'C' },
		{ kind: 'checkbox' as const, variable: 'terse' },
		{ kind: 'file' as const, variable: 'picture', allowedTypes: ['image'] },
	];
	const { sim, credential } = await startApp('chat', { form, fileUpload: { enabled: true } });
	const { fields } = await n8n.request<{ fields: object[] }>(
		'POST',
		'/rest/dynamic-node-parameters/resource-mapper-fields',
		{
			nodeTypeAndVersion: { name: 'CUSTOM.difyChatMessage', version: 1 },
			path: 'parameters.inputs',
			methodName: 'getForm',
			currentNodeParameters: {},
			credentials: { difyApi: credential },
		},
	);
	const created = await n8n.createWorkflow(
		workflowOf('Form', {
			Start: { ...MANUAL, to: [CHAT] },
			[CHAT]: chatNode(credential, {
				query: 'Weather?',
				user: 'anna',
				inputsMode: 'form',
				inputs: {
					mappingMode: 'defineBelow',
					value: {
						city: '={{ 1234 }}',
						days: '3',
						unit: 'F',
						terse: true,
						picture: 'https://example.com/a.png',
					},
					matchingColumns: [],
					schema: fields,
					attemptToConvertTypes: false,
					convertFieldsToString: false,
				},
			}),
		}),
	);
	const execution = await n8n.runWorkflow(created, 'Start');
	const { status, data } = await n8n.waitForExecution(execution);
	expect([status, data.resultData.error?.message]).toEqual(['success', undefined]);
	expect(sim.runs[0]!.inputs).toMatchObject({
		city: '1234',
		days: 3,
		unit: 'F',
		terse: true,
		picture: { type: 'image', transfer_method: 'remote_url' },
	});
});
