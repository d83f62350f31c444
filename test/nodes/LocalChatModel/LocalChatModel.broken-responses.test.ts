/** A response that breaks off, and a model that refuses. */
import { forgetAll } from '../../../lib/kept';
import { reply } from '../../simulators/llama-server';
import { HumanMessage, useChatModel } from '../../support/n8n/chat-model';

const { server, supplied, chatRequests } = useChatModel();
beforeEach(forgetAll);

interface Shown {
	message: string;
	description?: string;
	context: { data: { type?: string; partialText?: string }; descriptionTemplate?: string };
}

async function fail(options: Record<string, unknown> = {}): Promise<Shown> {
	const { model } = await supplied(options);
	return await (model.invoke([new HumanMessage('Hi')]) as Promise<unknown>).then(
		() => {
			throw new Error('no error');
		},
		(error: unknown) => error as Shown,
	);
}

const chunk = (delta: object, finish: string | null = null): string =>
	`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

describe('an event that is cut off in the middle of a response', () => {
	test.each([
		['JSON without its end', 'data: {"choices":[{"index":0,"delta":{"con\n\n'],
		['JSON without its beginning', 'data: [{"index":0,"delta":{"content":"x"}}\n\n'],
		['half of an object', 'data: {"choices":[{"index":0\n\ndata: [DONE]\n\n'],
	])('%s: the text is kept, and nothing is said about the address', async (_name, broken) => {
		const response = reply.sse(
			`${chunk({ content: 'The answer ' })}${chunk({ content: 'is' })}${broken}`,
		);
		server().script(response, response);
		const { message, description, context } = await fail();
		expect(context.data).toMatchObject({ type: 'streamBroken', partialText: 'The answer is' });
		expect(message).toBe('The response broke off: one of its events cannot be read');
		expect(`${description} ${context.descriptionTemplate ?? ''}`).not.toContain('Base URL');
		expect(chatRequests()).toHaveLength(2);
	});

	test('before any text, it may be another program', async () => {
		const response = reply.sse('data: {"hello":"wor\n\n');
		server().script(response, response);
		expect((await fail()).context.data.type).toBe('invalidResponse');
		expect(chatRequests()).toHaveLength(2);
	});
});

describe('a refusal with a requested format', () => {
	const WORDS = 'I cannot assist with that.';
	const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
	const asJson = { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) };
	const stream = (...deltas: object[]) =>
		reply.sse(
			`${deltas.map((delta) => chunk(delta)).join('')}${chunk({}, 'stop')}data: [DONE]\n\n`,
		);

	test.each([
		['as one event', stream({ content: null, refusal: WORDS })],
		['in parts', stream({ refusal: 'I cannot ' }, { refusal: 'assist with that.' })],
		[
			'as one JSON object',
			reply.json({
				choices: [
					{ message: { role: 'assistant', content: null, refusal: WORDS }, finish_reason: 'stop' },
				],
			}),
		],
	])('%s: one request, and its words', async (_name, response) => {
		server().script(response);
		const { message, description, context } = await fail(asJson);
		expect(context.data.type).toBe('modelRefused');
		expect(message).toBe('The model refused to respond');
		expect(description).toContain(WORDS);
		expect(description).not.toMatch(/valid JSON|larger model/);
		expect(chatRequests()).toHaveLength(1);
	});

	test('without a format, it is a text', async () => {
		server().script(stream({ content: null, refusal: WORDS }));
		const { model } = await supplied();
		expect(await model.invoke([new HumanMessage('Hi')])).toMatchObject({ content: WORDS });
	});

	test('an empty refusal beside JSON is none', async () => {
		server().script(stream({ content: '{"city":"Rome"}', refusal: '' }, { refusal: null }));
		const { model } = await supplied(asJson);
		expect(await model.invoke([new HumanMessage('Hi')])).toMatchObject({
			content: '{"city":"Rome"}',
		});
	});
});
