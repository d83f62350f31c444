import ts from 'typescript';

import { SERVER_TYPES } from '../../lib/servers/types';
import type { ServerTypeName } from '../../lib/server-type-name';
import * as fs from 'node:fs';
import { read, SOURCES } from './sources';

const FOLDER = 'lib/servers/types';
/** Files that define no server type: TypeScript types, response readers, groups that server types share. */
const SHARED = ['index', 'ollama-actions', 'ollama-models', 'router-actions', 'server-type'];

/** `lmStudio` → `lm-studio` */
const fileOf = (serverType: string) =>
	serverType.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const letters = (name: string) => name.toLowerCase().replace(/[^a-z\d]/g, '');
/** Name of the product without its role: "llama-server (router)" is a separate type of llama-server. */
const productOf = (serverType: ServerTypeName) =>
	SERVER_TYPES[serverType].label.replace(/ \(.*\)$/, '');

const serverTypes = (Object.keys(SERVER_TYPES) as ServerTypeName[]).filter(
	(serverType) => serverType !== 'other',
);

/** Test doubles of real servers: folders of recordings, and simulators. */
const TEST_DOUBLES = [
	'test/fixtures',
	'test/fixtures/models',
	'test/simulators',
	'test/simulators/media',
]
	.flatMap((folder) => fs.readdirSync(folder))
	.map(letters);
/** Nobody could record them: test/lib/servers/types/index.test.ts has the routes by which they are known. */
const NOT_RECORDED: readonly ServerTypeName[] = ['lmStudio'];

it('every file of a server type is in the list, under its own name', () => {
	const files = fs
		.readdirSync(FOLDER)
		.filter((file) => file.endsWith('.ts'))
		.map((file) => file.replace(/\.ts$/, ''));
	expect(files.toSorted()).toEqual([...serverTypes, 'other'].map(fileOf).concat(SHARED).toSorted());
});

it.each(serverTypes)('%s has recorded responses or a simulator', (serverType) => {
	const names = [serverType, productOf(serverType)].map(letters);
	const isRecorded = TEST_DOUBLES.some((one) => names.some((name) => one.startsWith(name)));
	expect(isRecorded).toBe(!NOT_RECORDED.includes(serverType));
});

it.each(serverTypes)('%s is on the servers page, in both languages', (serverType) => {
	for (const page of ['docs/servers.md', 'docs/servers.zh-CN.md'])
		expect(read(page).replace(/\s+/g, ' ')).toContain(productOf(serverType));
});

it('no file outside the server types names one: it uses a capability of the type', () => {
	const branches = new RegExp(
		`(?:===|!==|case|SERVER_TYPES\\.)\\s*'?(?:${serverTypes.join('|')})\\b`,
	);
	const others = SOURCES.filter((file) => !file.startsWith(`${FOLDER}/`));
	expect(others.filter((file) => branches.test(read(file)))).toEqual([]);
});

/** Names of servers, as in texts. */
const PRODUCTS =
	/llama-server|llama\.cpp|llama-swap|llama-cpp-python|\b(?:ollama|vllm|sglang|litellm|gpustack|koboldcpp|localai|lemonade|xinference|speaches|kokoro|sd-server|infinity)\b|lm studio|whisper\.cpp|text embeddings inference|text generation inference|transformers serve/i;

/** Why a file outside of `types/` has the name of a server in a string. */
const NAMES_WITH_REASON: ReadonlyArray<[file: RegExp, reason: string]> = [
	[/^lib\/exchange\/decision-words\.ts$/, 'what each word was seen in'],
	[/^lib\/exchange\/adaptations\.ts$/, 'the warning about a rejected field'],
	[/^lib\/errors\/rows\//, 'suggestions for a server of unknown type, with examples'],
	[/^lib\/errors\/gateway-/, 'gateways by their headers'],
	[/^lib\/errors\/words\.ts$/, 'what the words of a cause were seen in'],
	[/^lib\/errors\/lacking-task\.ts$/, 'servers that perform a task that another one does not'],
	[/^lib\/server-type-name\.ts$/, 'the names of the types themselves'],
	[/^lib\/errors\/chapters\//, 'the words of each server type, and examples'],
	[/^lib\/health\//, 'names of metrics and probes, and findings for only one server type'],
	[
		/^lib\/(?:chat\/body\/(?:generation-options|thinking-fields|response-format-fields)|fields\/keep-alive)\.ts$/,
		'descriptions of fields, shown before a server is known',
	],
	[/^lib\/dify\//, 'Dify plugins whose names contain a server name'],
];

/** Files of `lib` with a server's name in a string, and the strings. Imports do not count. */
function namesIn(file: string): string[] {
	const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
	const strings: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
		const isText =
			ts.isStringLiteralLike(node) ||
			ts.isTemplateHead(node) ||
			ts.isTemplateMiddleOrTemplateTail(node);
		if (isText && PRODUCTS.test(node.text)) strings.push(node.text);
		ts.forEachChild(node, visit);
	};
	visit(source);
	return strings;
}

const LIB = SOURCES.filter((file) => file.startsWith('lib/'));

it('no text outside the server types names a server: it uses the texts of the type', () => {
	const wrong = LIB.filter((file) => !file.startsWith(FOLDER))
		.filter((file) => !NAMES_WITH_REASON.some(([allowed]) => allowed.test(file)))
		.map((file) => ({ file, strings: namesIn(file) }))
		.filter(({ strings }) => strings.length > 0);
	expect(wrong).toEqual([]);
});

it.each(NAMES_WITH_REASON)('%s still names a server: %s', (allowed) => {
	const files = LIB.filter((file) => allowed.test(file));
	expect(files.flatMap(namesIn)).not.toEqual([]);
});

/** Names without a capital, or at the beginning of a sentence, which `names.test.ts` cannot tell from words. */
const FOREIGN_PRODUCTS =
	/(?<![\w-])(?:SGLang|KoboldCpp|LocalAI|Lemonade|Xinference|Kokoro|sd-server|llama-swap|llama-cpp-python|llamafile|TabbyAPI|Aphrodite|RamaLama|GPT4All|Open WebUI|OpenRouter|Groq|Together|Fireworks|Cerebras|Anthropic|Bedrock|Azure|Cohere|Voyage|DashScope|SiliconFlow|Moonshot|NIM|MLX|mlx-\w+|Chatterbox|Runware|Caddy|Traefik|HAProxy|Envoy|ngrok|Express|Flask|Portkey|Helicone|mistral\.rs|text-generation-webui|vLLM-Omni)(?![\w])/;

it('lib names the six servers, FastAPI, Dify, n8n, forms of an API, and proxies that a header names', () => {
	const named = LIB.flatMap((file) =>
		Array.from(
			read(file).matchAll(new RegExp(FOREIGN_PRODUCTS, 'g')),
			([name]) => `${file}: ${name}`,
		),
	);
	expect(named).toEqual([]);
});
