/** Promises to users. Agent: which tool a call runs, and what goes back to the model. */
import { HumanMessage, toolNamed } from './support/agent-turns';
import { calls, CHAT, LLAMA_SERVER, text } from './support/responses';
import { chatModel, failureOf, streamOf, wholeOf } from './support/node-runner';
import { fromRoot } from '../support/n8n/chat-model';
import { useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

/** A tool of an MCP client, as n8n names and marks it. */
const ofClient = (node: string, name: string, metadata: object = {}) => ({
	...toolNamed(`${node.replace(/[^a-zA-Z0-9]/g, '_')}_${name}`),
	metadata: { isFromToolkit: true, sourceNodeName: node, ...metadata },
});
const behindApproval = (node: string, name: string) =>
	ofClient(node, name, { sourceNodeName: 'Ask me', gatedToolNodeName: node });
const toolsNamed = (...names: string[]) => names.map((name) => toolNamed(name));

/** Tools that a call with this name runs, if the model does not retry after its correction. */
async function runBy(
	name: string,
	tools: unknown[],
	parameters: Record<string, unknown> = {},
): Promise<string[]> {
	const server = await serve(calls(['c', name, '{}']), text('None.'));
	const { supplied } = await chatModel(server.url, { parameters });
	const answer = wholeOf(await streamOf(supplied.bindTools(tools), [new HumanMessage('Go.')]));
	const run = (answer.tool_calls ?? []).map((call) => call.name);
	expect(server.sent(CHAT)).toHaveLength(run.length === 0 ? 2 : 1);
	return run;
}

describe('a call only runs the tool that it names', () => {
	test.each([
		['user', toolsNamed('delete_user', 'delete_group')],
		['mail', toolsNamed('send_mail')],
		['mail', toolsNamed('send_mail', 'send_file')],
		['file', toolsNamed('remove.file')],
		['file', toolsNamed('remove.file', 'remove.folder')],
		['user', [ofClient('Notes', 'delete_user'), ofClient('Notes', 'delete_group')]],
		['delete_user', toolsNamed('Notes_delete_user', 'Notes_delete_group')],
		['search', [ofClient('GitHub', 'search'), ofClient('Jira', 'search')]],
		['search', [ofClient('GitHub', 'search'), behindApproval('Jira', 'search')]],
		['delete', [ofClient('Notes', 'delete'), ofClient('Mail', 'delete'), ofClient('Mail', 'send')]],
		['delete_user', toolsNamed('delete_users', 'delete_user_now')],
		['Delete_user', toolsNamed('delete_user')],
		['delete-user', toolsNamed('delete_user')],
		['delete_user ()', toolsNamed('delete_user')],
		['_user', [ofClient('Notes', 'delete_user')]],
		['s_delete_user', [ofClient('Notes', 'delete_user')]],
		['Notes', [ofClient('Notes', 'delete_user')]],
		['notes_delete_user', [ofClient('Notes', 'delete_user')]],
		['Notes.delete_user', [ofClient('Notes', 'delete_user')]],
		['Ask_me_delete_user', [behindApproval('Notes', 'delete_user')]],
		['user', [ofClient('delete', 'user', { isFromToolkit: false })]],
		['constructor', toolsNamed('delete_user')],
		['__proto__', [ofClient('Notes', 'delete_user')]],
	])('the name "%s" runs no tool if it is only similar', async (name, tools) => {
		expect(await runBy(name, tools)).toEqual([]);
	});

	test('a name that two tools share runs neither, also if one of them is not offered', async () => {
		const tools = [ofClient('GitHub', 'search'), ofClient('Jira', 'search')];
		expect(await runBy('search', tools, { options: { maxTools: 1 } })).toEqual([]);
	});

	test.each([
		['Notes_delete_user', [ofClient('Notes', 'delete_user')], 'Notes_delete_user'],
		['delete_user', [ofClient('Notes', 'delete_user')], 'Notes_delete_user'],
		['delete_user', [behindApproval('Notes', 'delete_user')], 'Notes_delete_user'],
		[
			'list',
			[ofClient('My Notes', 'list'), ofClient('My Notes', 'list_all'), ofClient('Mail', 'send')],
			'My_Notes_list',
		],
		['search', [ofClient('Jira', 'search'), ...toolsNamed('search')], 'search'],
		['remove.file', [ofClient('Files', 'remove.file')], 'Files_remove.file'],
		['remove_file', [ofClient('Files', 'remove.file')], 'Files_remove.file'],
	])('%s runs its tool', async (name, tools, expected) => {
		expect(await runBy(name, tools)).toEqual([expected]);
	});
});

/** Without repetition, which would end the response. */
const BROKEN = Array.from({ length: 50_000 }, (_part, index) => `"${index} `).join('');

describe('a correction adds at most 4 KB to the conversation', () => {
	const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
	const TOOLS = Array.from({ length: 60 }, (_, index) =>
		toolNamed(`tool_${'x'.repeat(50)}_${index}`),
	);

	test.each<[string, Answer]>([
		[
			'900 calls of unknown tools',
			calls(
				...Array.from({ length: 900 }, (_, index): [string, string, string] => [
					`c${index}`,
					`nothing_${index}_${'y'.repeat(200)}`,
					JSON.stringify({ note: '"'.repeat(500) }),
				]),
			),
		],
		['a name of 400 KB', calls(['c', `nothing<|im_end|>${'z'.repeat(400_000)}`, '{}'])],
		[
			'arguments of 400 KB',
			calls(['c', 'nothing', JSON.stringify({ note: '天'.repeat(130_000) })]),
		],
		['broken arguments of 400 KB', calls(['c', 'tool_1', `{"a": <|im_start|>${BROKEN}`])],
	])('a correction of %s adds at most 4 KB', async (_what, wrong) => {
		const server = await serve(wrong, wrong, text('Done.'));
		const { supplied } = await chatModel(server.url);
		const bound = supplied.bindTools([...TOOLS, toolNamed('tool_1')]);
		expect((await bound.invoke([new HumanMessage('Go.')])).content).toBe('Done.');
		const bodies = server.sent(CHAT);
		expect(bodies).toHaveLength(3);
		for (const [round, body] of bodies.slice(1).entries())
			expect(size(body) - size(bodies[round])).toBeLessThanOrEqual(4096);
		expect(JSON.stringify(bodies)).not.toContain('<|im_');
	});

	test('JSON that does not match its schema', async () => {
		const wrong = text(JSON.stringify({ n: `<|im_end|>${'x"'.repeat(100_000)}` }));
		const server = await serve(wrong, wrong, text('{"n":4}'));
		const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
		const parameters = { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) };
		const { supplied } = await chatModel(server.url, { parameters });
		expect((await supplied.invoke('How many?')).content).toBe('{"n":4}');
		const bodies = server.sent(CHAT);
		expect(bodies).toHaveLength(3);
		for (const [round, body] of bodies.slice(1).entries())
			expect(size(body) - size(bodies[round])).toBeLessThanOrEqual(4096);
		expect(JSON.stringify(bodies)).not.toContain('<|im_');
	});
});

describe('required arguments', () => {
	const DELETE = toolNamed('delete_files', { paths: { type: 'array' } }, ['paths']);
	const APPROVAL = toolNamed(
		'cancel_order',
		{
			toolParameters: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
			hitlParameters: {
				type: 'object',
				properties: { message: { type: 'string' } },
				required: ['message'],
			},
		},
		['toolParameters', 'hitlParameters'],
	);
	const ask = async (url: string) => {
		const { supplied, hints } = await chatModel(url);
		const bound = supplied.bindTools([DELETE, APPROVAL]);
		return { bound, hints };
	};

	test.each([
		['delete_files', '{}', 'paths'],
		['delete_files', '{"path":["a"]}', 'paths'],
		['cancel_order', '{"hitlParameters":{}}', 'toolParameters'],
		['cancel_order', '{"id":"4711"}', 'toolParameters'],
		['cancel_order', '{"toolParameters":{}}', 'toolParameters.id'],
	])(
		'a call that lacks one after two corrections is an error: %s %s',
		async (name, args, missing) => {
			const wrong = calls(['c', name, args]);
			const server = await serve(wrong, wrong, wrong);
			const { bound } = await ask(server.url);
			const failed = await failureOf(bound.invoke([new HumanMessage('Go.')]));
			expect(failed.message).toContain(`"${name}" without the required arguments ${missing}`);
			expect(server.sent(CHAT)).toHaveLength(3);
		},
	);

	test('next to valid calls it is omitted with a hint', async () => {
		const both = calls(['a', 'delete_files', '{}'], ['b', 'delete_files', '{"paths":["x"]}']);
		const server = await serve(both, both, both);
		const { bound, hints } = await ask(server.url);
		const { tool_calls: run } = await bound.invoke([new HumanMessage('Go.')]);
		expect(run).toMatchObject([{ args: { paths: ['x'] } }]);
		expect(hints.map(({ message }) => message)).toEqual([expect.stringContaining('paths')]);
	});

	test("n8n's own arguments of an approval are never requested", async () => {
		const server = await serve(calls(['c', 'cancel_order', '{"toolParameters":{"id":"4711"}}']));
		const { bound, hints } = await ask(server.url);
		const { tool_calls: run } = await bound.invoke([new HumanMessage('Go.')]);
		expect(run).toMatchObject([{ args: { toolParameters: { id: '4711' } } }]);
		expect(server.sent(CHAT)).toHaveLength(1);
		expect(hints).toEqual([]);
	});
});

describe('a tool that is too large', () => {
	const { z } = fromRoot('zod') as {
		z: { object(shape: object): unknown; string(): { describe(text: string): unknown } };
	};
	/** A tool as n8n's MCP client makes one. */
	const ofServer = (name: string, fields: number) => ({
		name,
		description: `The tool ${name}`,
		schema: z.object(
			Object.fromEntries(
				Array.from({ length: fields }, (_none, at) => [
					`f${at}`,
					z.string().describe(`Field ${at}`),
				]),
			),
		),
		invoke() {},
	});
	const HINT =
		'Some tools were not offered to the model: "big" (its schema has more than 500 fields).';

	test('is not offered; the turn goes on with the others, and one hint names it', async () => {
		const server = await serve(calls(['c', 'small', '{"f0":"a"}']), text('Done.'));
		const { supplied, hints } = await chatModel(server.url);
		const bind = () =>
			supplied.bindTools([ofServer('small', 1), ofServer('big', 10_000), toolNamed('other')]);
		const { tool_calls: run } = await bind().invoke([new HumanMessage('Go.')]);
		expect(run).toMatchObject([{ name: 'small', args: { f0: 'a' } }]);
		await bind().invoke([new HumanMessage('Go.')]);
		const offered = server
			.sent(CHAT)
			.map(({ tools }) =>
				(tools as Array<{ function: { name: string } }>).map((tool) => tool.function.name),
			);
		expect(offered).toEqual([
			['small', 'other'],
			['small', 'other'],
		]);
		expect(
			hints.map(({ message }) => message).filter((message) => message.includes('not offered')),
		).toEqual([HINT]);
	});

	test('is an error before anything is sent if it must be called', async () => {
		const server = await serve(text('Done.'));
		const { supplied } = await chatModel(server.url);
		const bound = supplied.bindTools([ofServer('big', 10_000)], { tool_choice: 'required' });
		const failed = await failureOf(bound.invoke([new HumanMessage('Go.')]));
		expect(failed.message).toContain('"big" must be called, but cannot be offered');
		expect(server.sent(CHAT)).toEqual([]);
	});
});
