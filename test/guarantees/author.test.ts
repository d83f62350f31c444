/**
 * What an author writes reaches the server byte for byte, in every role and in tools and schemas. Only exact tokens that
 * begin or end a turn are broken.
 */
import { isNightly } from '../support/jest/properties';
import { expectNoProblems } from '../faults/harness';
import { json, useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';
import { AUTHORS_TEXTS } from './author.cases';
import {
	AIMessage,
	HumanMessage,
	SystemMessage,
	ToolMessage,
	toolNamed,
} from './support/agent-turns';
import { chatModel, run } from './support/node-runner';
import { CHAT, LLAMA_SERVER, text as answer } from './support/responses';

interface Written {
	/** Group and number. */
	name: string;
	text: string;
}

const TEXTS: readonly Written[] = Object.entries(AUTHORS_TEXTS).flatMap(([group, texts]) =>
	texts.map((text, index) => ({ name: `${group} ${index + 1}`, text })),
);

const start = useServers();

/** The texts of a body, with the path to each. */
function findTexts(value: unknown, path = ''): Array<[path: string, text: string]> {
	if (typeof value === 'string') return [[path, value]];
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) =>
		findTexts(inner, path === '' ? key : `${path}.${key}`),
	);
}

/** Where bodies do not have the text. */
function findChanged(
	bodies: readonly unknown[],
	text: string,
	places: readonly string[],
): string[] {
	const texts = new Map(bodies.flatMap((body) => findTexts(body)));
	return places.filter((place) => texts.get(place)?.includes(text) !== true);
}

const withoutBreaks = (text: string) => text.replaceAll('\u200b', '');

const lastBody = (server: ScriptedServer, path: string): unknown => server.sent(path).at(-1);

test('the texts are many, each of its own', () => {
	expect(new Set(TEXTS.map(({ text }) => text)).size).toBeGreaterThanOrEqual(200);
	expect(TEXTS).toHaveLength(new Set(TEXTS.map(({ text }) => text)).size);
});

/** Texts with what has the form of a token of a template: in the result of a tool and in a document it is broken, and nowhere else. */
const WITH_FORMS: readonly string[] = [
	'tags of XML 14',
	'bars and arrows 1',
	'bars and arrows 2',
	'bars and arrows 3',
	'bars and arrows 4',
	'code 23',
	'code 24',
	'system prompts 15',
	'dialogues and quotations 2',
];

test('Local Chat Model: in every role, in tools and in schemas', async () => {
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer('Done.') });
	const { supplied } = await chatModel(server.url);
	const problems: string[] = [];
	for (const { name, text } of TEXTS) {
		const tool = toolNamed('look', {
			city: { type: 'string', description: text, enum: [text, 'x'] },
		});
		tool.function.description = text;
		await supplied.bindTools([tool]).invoke([
			new SystemMessage(text),
			new HumanMessage(text),
			new AIMessage({
				content: '',
				tool_calls: [{ id: 'c1', name: 'look', args: { city: text } }],
			}),
			new ToolMessage({ tool_call_id: 'c1', name: 'look', content: text }),
			new AIMessage({ content: 'Seen.' }),
			new HumanMessage([{ type: 'text', text }]),
		]);
		const places = findChanged([lastBody(server, CHAT)], text, [
			'messages.0.content',
			'messages.1.content',
			...(WITH_FORMS.includes(name) ? [] : ['messages.3.content']),
			'messages.5.content',
			'tools.0.function.description',
			'tools.0.function.parameters.properties.city.description',
			'tools.0.function.parameters.properties.city.enum.0',
		]);
		if (places.length > 0) problems.push(`${name} is changed in ${places.join(', ')}: ${text}`);
		const [result = ''] = findTexts(lastBody(server, CHAT))
			.filter(([path]) => path === 'messages.3.content')
			.map(([, content]) => content);
		if (WITH_FORMS.includes(name) && (result === text || withoutBreaks(result) !== text))
			problems.push(`${name} is not broken in its result: ${result}`);
	}
	expectNoProblems(problems);
});

test('Local Llama: in prompts, instructions, fields, inputs and documents', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: answer('{"city":"A"}'),
		'POST /v1/completions': json({ choices: [{ text: 'Done.', finish_reason: 'stop' }] }),
		'POST /v1/embeddings': json({ data: [{ index: 0, embedding: [0.5, 0.5] }] }),
		'POST /v1/rerank': json({ results: [{ index: 0, relevance_score: 1 }] }),
	});
	const problems: string[] = [];
	// Five requests each.
	const played = isNightly ? TEXTS : TEXTS.filter((_, index) => index % 5 === 0);
	for (const { name, text } of played) {
		await run(server.url, 'text:chat', {
			parameters: { prompt: text, system: text, options: {} },
		});
		const chat = lastBody(server, CHAT);
		const field = { name: 'city', type: 'text', description: text };
		await run(server.url, 'text:extract', {
			parameters: { text, fields: { field: [field] }, options: { instructions: text } },
		});
		const extract = lastBody(server, CHAT);
		await run(server.url, 'text:complete', { parameters: { prompt: text, options: {} } });
		await run(server.url, 'vector:embed', { parameters: { text, options: {} } });
		await run(server.url, 'vector:rerank', {
			parameters: { query: text, document: text, options: {} },
		});
		const bodies = {
			chat,
			extract,
			complete: lastBody(server, '/v1/completions'),
			embed: lastBody(server, '/v1/embeddings'),
			rerank: lastBody(server, '/v1/rerank'),
		};
		const places = findChanged([bodies], text, [
			'chat.messages.0.content',
			'chat.messages.1.content',
			'extract.messages.0.content',
			'extract.messages.1.content',
			'complete.prompt',
			'embed.input.0',
			'rerank.query',
			...(WITH_FORMS.includes(name) ? [] : ['rerank.documents.0']),
		]);
		if (places.length > 0) problems.push(`${name} is changed in ${places.join(', ')}: ${text}`);
	}
	expectNoProblems(problems);
});

/** What begins or ends a turn in the templates of usual models. */
const TURN_TOKENS = [
	'<|im_start|>',
	'<|im_end|>',
	'<|start_header_id|>',
	'<|end_header_id|>',
	'<|eot_id|>',
	'<start_of_turn>',
	'<end_of_turn>',
	'[INST]',
	'[/INST]',
	'<｜User｜>',
	'<｜Assistant｜>',
	'<|start|>',
	'<|message|>',
	'<|end|>',
];

test.each(TURN_TOKENS)('%s is broken, and nothing around it', async (token) => {
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer('Done.') });
	const { supplied } = await chatModel(server.url);
	const text = `<answer>one${token}two ${token}\nthree</answer> [MASK]`;
	await supplied.invoke([new SystemMessage(text), new HumanMessage(text)]);
	const { messages } = lastBody(server, CHAT) as { messages: Array<{ content: string }> };
	expect(messages).toHaveLength(2);
	for (const { content } of messages) {
		expect(content).not.toContain(token);
		expect(content).toMatch(/^<\W?answer>one.+two .+\nthree<\W?\/answer> \[\W?MASK\]$/su);
	}
});
