/**
 * What an author writes reaches the server byte for byte, in every role and in tools and schemas. Only exact tokens that
 * begin or end a turn are broken.
 *
 * Texts that do not are in `author.known.ts`; `AUTHOR_WRITE=1 npm test -- test/guarantees/author.test.ts` writes it,
 * `npx oxfmt test/guarantees/author.known.ts` formats it.
 */
import { isNightly } from '../support/jest/properties';
import { expectNoProblems } from '../faults/harness';
import * as fs from 'node:fs';
import process from 'node:process';
import { json, useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';
import { AUTHORS_TEXTS } from './author.cases';
import type { ChangedTexts } from './author.cases';
import { CHANGED_TEXTS } from './author.known';
import {
	AIMessage,
	HumanMessage,
	SystemMessage,
	ToolMessage,
	toolNamed,
} from './support/agent-turns';
import { chatModel, run } from './support/node-runner';
import { CHAT, LLAMA_SERVER, text as answer } from './support/responses';

const isWriting = process.env.AUTHOR_WRITE === '1';

/** Places at which a text was changed, by its name. */
type Found = ReadonlyMap<string, readonly string[]>;

interface Written {
	/** Group and number. */
	name: string;
	text: string;
}

const TEXTS: readonly Written[] = Object.entries(AUTHORS_TEXTS).flatMap(([group, texts]) =>
	texts.map((text, index) => ({ name: `${group} ${index + 1}`, text })),
);

const start = useServers();
const changed = new Map<string, Found>();

afterAll(() => {
	if (isWriting) fs.writeFileSync('test/guarantees/author.known.ts', describeChanged());
});

function describeChanged(): string {
	const rows = [...changed].flatMap(([node, found]): ChangedTexts[] => {
		const groups = new Map<string, string[]>();
		for (const [name, places] of found) {
			const key = places.join(' ');
			groups.set(key, [...(groups.get(key) ?? []), name]);
		}
		return [...groups].map(([key, texts]) => ({ node, places: key.split(' '), texts }));
	});
	return `/** Written by author.test.ts: what still does not reach the server as it was written. */
import type { ChangedTexts } from './author.cases';

export const CHANGED_TEXTS: readonly ChangedTexts[] = ${JSON.stringify(rows, null, '\t')};
`;
}

/** The texts of a body, with the path to each. */
function findTexts(value: unknown, path = ''): Array<[path: string, text: string]> {
	if (typeof value === 'string') return [[path, value]];
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) =>
		findTexts(inner, path === '' ? key : `${path}.${key}`),
	);
}

/** Where a body does not have the text at the end of one of its own. */
function findChanged(
	bodies: readonly unknown[],
	text: string,
	places: readonly string[],
): string[] {
	const texts = new Map(bodies.flatMap((body) => findTexts(body)));
	return places.filter((place) => texts.get(place)?.includes(text) !== true);
}

/** Compares what was found with the table of the node. */
function expectKnown(node: string, played: readonly Written[], found: Found): void {
	changed.set(node, found);
	const rows = CHANGED_TEXTS.filter((row) => row.node === node);
	const problems = played.flatMap(({ name, text }) => {
		const now = found.get(name) ?? [];
		const known = rows.filter(({ texts }) => texts.includes(name)).flatMap(({ places }) => places);
		const unlisted = now.filter((place) => !known.includes(place));
		const passing = known.filter((place) => !now.includes(place));
		return [
			...(unlisted.length > 0 ? [`${name} is changed in ${unlisted.join(', ')}: ${text}`] : []),
			...passing.map((place) => `${name} is whole in ${place}, so remove it from the table`),
		];
	});
	expectNoProblems(isWriting ? [] : problems);
}

const lastBody = (server: ScriptedServer, path: string): unknown => server.sent(path).at(-1);

test('the texts are many, each of its own', () => {
	expect(new Set(TEXTS.map(({ text }) => text)).size).toBeGreaterThanOrEqual(200);
	expect(TEXTS).toHaveLength(new Set(TEXTS.map(({ text }) => text)).size);
});

test('Local Chat Model: in every role, in tools and in schemas', async () => {
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer('Done.') });
	const { supplied } = await chatModel(server.url);
	const found = new Map<string, string[]>();
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
			'messages.3.content',
			'messages.5.content',
			'tools.0.function.description',
			'tools.0.function.parameters.properties.city.description',
			'tools.0.function.parameters.properties.city.enum.0',
		]);
		if (places.length > 0) found.set(name, places);
	}
	expectKnown('Local Chat Model', TEXTS, found);
});

test('Local Llama: in prompts, instructions, fields, inputs and documents', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: answer('{"city":"A"}'),
		'POST /v1/completions': json({ choices: [{ text: 'Done.', finish_reason: 'stop' }] }),
		'POST /v1/embeddings': json({ data: [{ index: 0, embedding: [0.5, 0.5] }] }),
		'POST /v1/rerank': json({ results: [{ index: 0, relevance_score: 1 }] }),
	});
	const found = new Map<string, string[]>();
	// Five requests each.
	const played = isNightly || isWriting ? TEXTS : TEXTS.filter((_, index) => index % 5 === 0);
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
			'rerank.documents.0',
		]);
		if (places.length > 0) found.set(name, places);
	}
	expectKnown('Local Llama', played, found);
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
