/**
 * How much of a history the real llama-server finds in its cache, for turns of n8n's agent with text and tool calls in
 * several rounds, in the format of 2.41 and the assumed format of 3.3.
 */
import { runTurn } from '../../lib/chat/turn';
import { createModelServer } from '../../lib/servers/credential';
import type { InputMessage, ToolDefinition, Usage } from '../../lib/chat/types';
import { PLAIN_SETTINGS } from '../lib/chat/chat-settings';
import { ai, human, ROUNDS, SHAPES, tool } from '../support/agent-histories';
import {
	scriptedModel,
	startLlamaServer,
	stopEverything,
	type LlamaServer,
} from '../e2e/support/playground';

let server: LlamaServer;

beforeAll(async () => {
	const model = await scriptedModel([
		{ last: 'user', contains: 'Thanks', reply: 'You are welcome.' },
		{ reply: 'Done.' },
	]);
	server = await startLlamaServer({ model, contextSize: 8192, parallel: 1 });
});
afterAll(stopEverything);

const CALCULATOR: ToolDefinition = {
	name: 'Calculator',
	description: 'Calculates',
	parameters: { type: 'object', properties: { input: { type: 'string' } } },
};

/** Enough text that tokens which are read again are noticeable. */
const QUESTION = human(
	`Calculate. ${'The numbers are in the report of the third quarter. '.repeat(20)}`,
);

async function generateUsage(messages: InputMessage[]): Promise<Usage> {
	const target = createModelServer({ baseUrl: server.url });
	const settings = { ...PLAIN_SETTINGS, model: 'test-model' };
	const { usage } = await runTurn(target, settings, { messages, tools: [CALCULATOR] });
	return usage!;
}

const withAll: Array<[string, (text: string, ids: string[]) => InputMessage[]]> =
	Object.entries(SHAPES);

test.each(withAll)('%s: each round processes only new tokens', async (name, shape) => {
	// A unique message, so that no other shape has filled the cache.
	const history: InputMessage[] = [
		{ ...QUESTION, content: `${name}. ${String(QUESTION.content)}` },
	];
	const rows = [await generateUsage(history)];
	for (const [text, ...ids] of ROUNDS) {
		history.push(...shape(text, ids));
		rows.push(await generateUsage(history));
	}
	history.push(ai('Done.'), human('Thanks'));
	rows.push(await generateUsage(history));
	rows.slice(1).forEach(({ cachedTokens, promptTokens }, at) => {
		// All but the first tokens of the response.
		expect(cachedTokens).toBeGreaterThan(rows[at]!.promptTokens - 16);
		expect(cachedTokens).toBeLessThan(promptTokens);
	});
});

test('a database memory of 3.3 after live rounds of another shape: the whole turn is read from the cache', async () => {
	const question = { ...QUESTION, content: `Across shapes. ${String(QUESTION.content)}` };
	const turn = (shape: (text: string, ids: string[]) => InputMessage[]) =>
		ROUNDS.flatMap(([text, ...ids]) => shape(text, ids));
	const live = await generateUsage([question, ...turn(withAll[0]![1])]);
	for (const [, shape] of withAll) {
		const later = await generateUsage([question, ...turn(shape), ai('Done.'), human('Thanks')]);
		expect(later.cachedTokens).toBeGreaterThan(live.promptTokens - 16);
	}
});

test('a turn returned without its text is processed again', async () => {
	const question = { ...QUESTION, content: `Lost. ${String(QUESTION.content)}` };
	const first = ROUNDS[0]!;
	const calls = first.slice(1);
	const whole = await generateUsage([question, ai(first[0], ...calls), ...calls.map(tool)]);
	const lost = await generateUsage([
		question,
		ai([], ...calls),
		...calls.map(tool),
		ai('Done.'),
		human('Thanks'),
	]);
	expect(lost.cachedTokens).toBeLessThan(whole.promptTokens - 16);
});
