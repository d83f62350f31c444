/** Schemas, thinking, images and usage of an agent's model. */
import { HumanMessage, toolNamed } from './support/agent-turns';
import { CHAT, delta, LLAMA_SERVER, ollama, streamed, text, usage } from './support/responses';
import { chatModel, failureOf, model, run, streamOf, wholeOf } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

describe('schemas', () => {
	/** Schemas that llama.cpp's grammar rejects, or that cost it much memory, with their replacement. */
	const REFUSED = {
		free: { type: 'string', pattern: 'free' },
		long: { type: 'string', maxLength: 100_000 },
		whole: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
		strange: { type: 'date' },
		crossed: { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 2 },
		anything: true,
		digits: { type: 'string', pattern: '^\\d{4}$' },
	};
	const TAKEN = {
		free: { type: 'string' },
		long: { type: 'string' },
		whole: { type: 'integer' },
		strange: {},
		crossed: { type: 'array', items: { type: 'string' } },
		anything: {},
		digits: { type: 'string' },
	};

	test('of tools and responses are converted for the grammar of llama.cpp', async () => {
		const server = await serve(text('{"digits":"1234"}'));
		const jsonSchema = JSON.stringify({ type: 'object', properties: REFUSED });
		const { supplied } = await chatModel(server.url, {
			parameters: { responseFormat: 'jsonSchema', jsonSchema },
		});
		await supplied.invoke('Hi');
		const tools = await chatModel(server.url);
		await tools.supplied.bindTools([toolNamed('look', REFUSED)]).invoke('Hi');
		const [asked, withTools] = server.sent(CHAT);
		expect(asked!.response_format).toMatchObject({ json_schema: { schema: {} } });
		const format = asked!.response_format as { json_schema: { schema: { properties: object } } };
		expect(format.json_schema.schema.properties).toEqual(TAKEN);
		const [tool] = withTools!.tools as Array<{ function: { parameters: { properties: object } } }>;
		expect(tool!.function.parameters.properties).toEqual(TAKEN);
	});

	test.each([
		['another type', '{"age":"three"}', 'age'],
		['a missing field', '{}', 'age'],
		['no JSON', 'Three.', ''],
		['one that the grammar lets pass', '{"age":3,"step":5}', 'step'],
	])(
		'the answer is checked against the schema that was given: %s',
		async (_name, answer, field) => {
			const server = await serve(text(answer));
			const schema = {
				type: 'object',
				properties: { age: { type: 'integer' }, step: { type: 'integer', multipleOf: 2 } },
				required: ['age'],
			};
			const parameters = { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) };
			const { supplied } = await chatModel(server.url, { parameters });
			const failures = [
				await failureOf(supplied.invoke('Hi')),
				await failureOf(streamOf(supplied, 'Hi')),
				await failureOf(
					run(server.url, 'text:chat', { parameters: { prompt: 'Hi', options: parameters } }),
				),
			];
			for (const failed of failures) {
				expect(failed.constructor.name).toBe('NodeOperationError');
				expect(failed.description).toContain(field);
				expect(JSON.stringify(failed.context)).toContain(JSON.stringify(answer).slice(1, -1));
			}
		},
	);
});

describe('thinking levels of Ollama', () => {
	const levels = { model: model('qwen3'), thinking: 'effort', thinkingEffort: 'high' };
	const hinted = async (url: string, parameters: object) => {
		const { supplied, hints } = await chatModel(url, {
			parameters: { model: model('qwen3'), ...parameters },
		});
		return [(await supplied.invoke('Hi')).content, hints.map(({ message }) => message).join('\n')];
	};

	test('a model without levels gets a second request without one and a hint; later requests omit it immediately', async () => {
		const refusal = 'think value "high" is not supported for this model';
		const server = await start({
			...ollama(),
			[`POST ${CHAT}`]: [json({ error: { message: refusal } }, 400), text('Hello.')],
		});
		const [content, said] = await hinted(server.url, levels);
		expect([content, said]).toEqual(['Hello.', expect.stringMatching(/thinking/i)]);
		const [first, second] = server.sent(CHAT).map((body) => JSON.stringify(body));
		expect(first).toContain('"high"');
		expect(second).not.toContain('"high"');
	});

	test('a supported level is sent, and disabled thinking stays off', async () => {
		const server = await start({ ...ollama(), [`POST ${CHAT}`]: text('Hello.') });
		expect(await hinted(server.url, levels)).toEqual(['Hello.', '']);
		await hinted(server.url, { thinking: 'off' });
		expect(server.sent(CHAT)).toMatchObject([
			{ reasoning_effort: 'high' },
			{ reasoning_effort: 'none' },
		]);
	});
});

test('thinking is separate from the text, logged, and returned in the field that the agent keeps', async () => {
	const server = await serve(
		streamed(
			delta({ reasoning_content: 'I have to ' }),
			delta({ reasoning_content: 'think.' }),
			delta({ content: 'Forty-two.' }),
			delta({}, 'stop'),
			usage(),
		),
	);
	const { supplied, outputs } = await chatModel(server.url);
	const { content, additional_kwargs: kwargs } = wholeOf(await streamOf(supplied, 'Hi'));
	expect([content, kwargs.reasoning_content]).toEqual(['Forty-two.', 'I have to think.']);
	expect(JSON.stringify(outputs)).toContain('I have to think.');
});

describe('images', () => {
	const LOOK = [
		new HumanMessage([
			{ type: 'text', text: 'What is it?' },
			{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
		]),
	];
	const parameters = { model: model('qwen3') };

	test('are rejected before they are sent to an Ollama model without vision, which would invent a description', async () => {
		const server = await start({
			...ollama(['completion', 'tools']),
			[`POST ${CHAT}`]: text('A cat.'),
		});
		const { supplied } = await chatModel(server.url, { parameters });
		const failed = await failureOf(supplied.invoke(LOOK));
		expect(failed.message).toContain('qwen3');
		expect(failed.message).toMatch(/image/);
		expect(server.sent(CHAT)).toEqual([]);
	});

	test('are sent complete and once to a model with vision', async () => {
		const server = await start({
			...ollama(['completion', 'vision']),
			[`POST ${CHAT}`]: text('A llama.'),
		});
		const { supplied } = await chatModel(server.url, { parameters });
		expect((await supplied.invoke(LOOK)).content).toBe('A llama.');
		expect(JSON.stringify(server.sent(CHAT)).split('iVBORw0KGgo=')).toHaveLength(2);
	});
});
