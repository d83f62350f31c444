/**
 * Every operation behind every other, with an item that has the written field already, with the files of a chat message,
 * paused, as a tool, and on the error output: nothing vanishes without a word, nothing looks better than it is, and
 * nothing about a server reaches a model. Generated from the list of operations.
 */
import type { IBinaryKeyData, INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { isDeepStrictEqual } from 'node:util';
import { startGoodServer } from '../faults/good-server';
import type { GoodServer, Reaction } from '../faults/good-server';
import { createCredential, expectNoProblems, passUntilEnded } from '../faults/harness';
import { listOperations } from '../faults/operations';
import { PAUSES } from '../faults/paused-runs';
import type { Operation, OperationResult, OperationRun } from '../faults/operations';
import { isNightly, takeSome } from '../support/jest/properties';
import { useClock } from './support/fake-clock';

const clock = useClock();

/** A message of a server whose words no visitor and no model may read. */
const SECRET = 'CUDA error in /srv/secret/model.gguf on secret-host 10.20.30.40';
/** Words and addresses of the server, and values of an earlier item. */
const ABOUT_SERVER = /secret|CUDA|10\.20|127\.0\.0\.1|of-an-earlier-node/;
/** A value that only the input has. */
const EARLIER = 'of-an-earlier-node';

const respond = (status: number, body: object): Reaction => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});

/** How a server fails, by the end of its address. */
const FAILURES = {
	failing: respond(500, { error: { message: SECRET, code: 500 }, message: SECRET, status: 500 }),
	locked: respond(401, { error: { message: SECRET }, code: 'unauthorized', message: SECRET }),
	empty: respond(404, { error: { message: `${SECRET} not found` }, message: SECRET, status: 404 }),
	full: respond(429, { error: { message: SECRET }, code: 'too_many_requests', message: SECRET }),
	garbled: { headers: { 'content-type': 'text/html' }, body: `<h1>${SECRET}</h1>` },
	refusing: respond(400, { error: { message: SECRET }, code: 'invalid_param', message: SECRET }),
} satisfies Record<string, Reaction>;

const RUN = /(?:chat-messages|workflows\/run|\/events)(?:\?.*)?$/;

/** An app that accepts only images. */
const IMAGES_ONLY = respond(200, {
	user_input_form: [{ paragraph: { variable: 'text', label: 'Text', required: true } }],
	file_upload: { enabled: true, allowed_file_types: ['image'], number_limits: 2 },
});

function react({ name, line }: { name: string; line: string }): Reaction {
	const suffix = name.slice(name.lastIndexOf('-') + 1);
	if (suffix in PAUSES && RUN.test(line)) return PAUSES[suffix];
	if (suffix === 'images' && line.endsWith('/parameters')) return IMAGES_ONLY;
	return (FAILURES as Readonly<Record<string, Reaction>>)[suffix];
}

let operations: Operation[];
let server: GoodServer;
beforeEach(async () => {
	operations = (await listOperations()).filter(({ type }) => type === 'action');
	server = await startGoodServer(react);
});
afterEach(async () => await server.close());

/** The error of a node, or its result. */
type Outcome = OperationResult | Error;

/** What an operation did at an address. */
interface Ran {
	name: string;
	outcome: Outcome;
	items: INodeExecutionData[];
	/** All hints as one text. */
	hints: string;
}

interface RunSetup extends Omit<OperationRun, 'credentials'> {
	/** Which operations run. Default: all. */
	only?: RegExp;
	/** If given, some of them run: see `takeSome`. */
	shift?: number;
}

/** Runs operations at the same time, each at an address of its own that ends with `suffix`. */
async function runAll(suffix: string, { only = /./, shift, ...setup }: RunSetup): Promise<Ran[]> {
	const works = new Map<string, Promise<unknown>>();
	const ran: Ran[] = [];
	const all = operations.filter(({ name }) => only.test(name));
	for (const operation of shift === undefined ? all : takeSome(all, shift)) {
		const address = `${operation.name} ${suffix}`;
		const credential = createCredential(operation, {
			url: server.at(address),
			key: 'key-7f3a91c4d2',
		});
		const credentials = (setup.items ?? [undefined]).map(() => credential);
		const work = operation
			.run({ ...setup, credentials })
			.catch((error: unknown) => error as Error)
			.then((outcome) => ran.push(toRan(operation.name, outcome)));
		works.set(address, work);
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	return ran;
}

function toRan(name: string, outcome: Outcome): Ran {
	const isError = outcome instanceof Error;
	return {
		name,
		outcome,
		items: isError ? [] : (outcome.items ?? []).flat(),
		hints: isError ? '' : (outcome.hints ?? []).map(({ message }) => message).join(' '),
	};
}

const getRequests = (name: string, suffix: string) => server.to(`${name} ${suffix}`);

/** The operations that add their result to the item. The others return what the server has. */
const ADDS_TO_ITEM = /^Local Llama (?!model )/;

/** What a run says about the item, beside the item. */
interface Told {
	/** All hints as one text. */
	hints: string;
	/** Whether the files of the input item are to be in the output item. Default: no, since n8n would show them first. */
	includesFiles?: boolean;
}

/** What is missing of an input item in an output item, and no hint names. */
function findLost(
	input: INodeExecutionData,
	{ json, binary = {} }: INodeExecutionData,
	{ hints, includesFiles = false }: Told,
) {
	const fields = Object.keys(input.json).filter(
		(name) => !isDeepStrictEqual(json[name], input.json[name]),
	);
	if (!includesFiles) return fields.filter((name) => !hints.includes(`"${name}"`));
	const files = Object.entries(input.binary ?? {})
		.filter(([name, { data }]) => binary[name]?.data !== data)
		.map(([name]) => name);
	return [...fields, ...files].filter((name) => !hints.includes(`"${name}"`));
}

/** Items with the same fields and files: a later operation cannot tell the operations that returned them. */
interface ItemClass {
	/** Operations that return such an item. */
	names: string[];
	item: INodeExecutionData;
}

/** The items that operations return, also for a failed item. */
async function collectClasses(): Promise<ItemClass[]> {
	const classes = new Map<string, ItemClass>();
	const all = [
		...(await runAll('first', {})),
		...(await runAll('failing', { hasErrorOutput: true })),
	];
	for (const { name, items } of all) {
		for (const { json, binary = {} } of items) {
			const key = [json, binary].map((part) => Object.keys(part).sort().join()).join('|');
			const known = classes.get(key) ?? { names: [], item: { json, binary } };
			known.names.push(name);
			classes.set(key, known);
		}
	}
	return [...classes.values()];
}

/** IDs of items have one digit. */
const MAX_ITEMS = 10;

const toGroups = <T>(list: readonly T[], size: number): T[][] =>
	Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
		list.slice(at * size, (at + 1) * size),
	);

test('behind every other operation, none fails for its item, and nothing of it vanishes', async () => {
	const classes = await collectClasses();
	expect(new Set(classes.flatMap(({ names }) => names))).toEqual(
		new Set(operations.map(({ name }) => name)),
	);
	let pairs = 0;
	let kept = 0;
	const problems: string[] = [];
	for (const [at, group] of toGroups(classes, MAX_ITEMS).entries()) {
		const items = group.map(({ item }) => item);
		for (const { name, outcome, items: results, hints } of await runAll(`behind ${at}`, {
			items,
			continueOnFail: true,
			shift: at,
		})) {
			if (outcome instanceof Error) problems.push(`${name}: ${outcome.message}`);
			for (const [index, { names, item }] of group.entries()) {
				pairs += names.length;
				const behind = `${name} behind ${names[0]}`;
				const own = results.filter(({ pairedItem }) => isPairedWith(pairedItem, index));
				for (const result of own) {
					const error = result.json.error as { message: string } | undefined;
					const isNew = error !== undefined && !isDeepStrictEqual(error, item.json.error);
					if (isNew && !isExplained(error.message, item))
						problems.push(`${behind}: failed with ${error.message}`);
					if (isNew || !ADDS_TO_ITEM.test(name)) continue;
					kept++;
					const lost = findLost(item, result, { hints });
					if (lost.length > 0) problems.push(`${behind}: ${lost.join(', ')} vanished`);
				}
			}
		}
	}
	expectNoProblems(problems);
	expect(pairs).toBeGreaterThanOrEqual(operations.length ** 2 * (isNightly ? 1 : 0.25));
	expect(kept).toBeGreaterThan((isNightly ? 8 : 2) * classes.length);
});

function isPairedWith(pairedItem: INodeExecutionData['pairedItem'], index: number): boolean {
	const [paired, ...others] = [pairedItem].flat();
	return others.length === 0 && typeof paired === 'object' && paired.item === index;
}

/** An operation says of which other type a file is. */
const OTHER_TYPE =
	/^"[^"]+" is an? |^The file "[^"]+" .* is not an image$|^Model servers cannot read the file /;

/** An upload says what is wrong with the file of the item: there is none, and which there are, or it has another type. */
function isExplained(message: string, { binary = {} }: INodeExecutionData): boolean {
	const names = Object.keys(binary);
	const rest = names.length === 0 ? 'The item has no files' : `The item has: ${names.join(', ')}`;
	const { data } = binary;
	if (data === undefined) return message === `The item has no binary field 'data'. ${rest}`;
	return OTHER_TYPE.test(message);
}

/** What an operation writes, and what has another value behind an item that has it already. */
function findUnwritten(
	written: readonly INodeExecutionData[],
	behind: readonly INodeExecutionData[],
	{ options }: { options: INodeParameters },
): string[] {
	return written.flatMap(({ json, binary = {} }, at) => {
		const result = behind[at];
		const fields = Object.keys(json).flatMap((name) => {
			if (name === 'metadata') return options.simplify === false ? [name] : [];
			return String(options.outputField ?? name);
		});
		return [
			...fields.filter((name) => result?.json[name] === EARLIER),
			...Object.keys(binary).filter((name) => result?.binary?.[name]?.data === RECORDING.data),
		];
	});
}

describe('with an item that has the written fields and files already', () => {
	test.each<{ it: string; options: INodeParameters; includesFiles?: boolean }>([
		{ it: 'as added', options: {} },
		{ it: 'with all data', options: { simplify: false } },
		{ it: 'into a field of the item', options: { outputField: 'answer' } },
		{ it: 'with its files', options: { includeInputFields: true }, includesFiles: true },
	])('$it, none vanishes without a hint', async ({ options, includesFiles }) => {
		const first = await runAll('first', { options: { simplify: false } });
		const written = first.flatMap(({ items }) => items);
		const names = written.flatMap(({ json }) => Object.keys(json));
		const fields = Object.fromEntries(names.map((name) => [name, EARLIER]));
		expect(Object.keys(fields).length).toBeGreaterThan(30);
		const binary: IBinaryKeyData = Object.fromEntries(
			written.flatMap((item) => Object.keys(item.binary ?? {})).map((name) => [name, RECORDING]),
		);
		const item = { json: fields, binary };
		const ran = await runAll('behind', { items: [item], options, only: ADDS_TO_ITEM });
		expectNoProblems(
			ran.flatMap(({ name, outcome, items, hints }) => {
				// The file is a recording, which cannot be edited as an image.
				if (outcome instanceof Error)
					return OTHER_TYPE.test(outcome.message) ? [] : [`${name}: ${outcome.message}`];
				const lost = items.flatMap((result) => findLost(item, result, { hints, includesFiles }));
				const { items: alone = [] } = first.find((one) => one.name === name) ?? {};
				return [
					...lost.map((field) => `${name}: ${field} vanished`),
					...findUnwritten(alone, items, { options }).map(
						(field) => `${name}: ${field} is not its own`,
					),
				];
			}),
		);
		expect(ran.length).toBeGreaterThanOrEqual(9);
	});
});

const toFile = (bytes: string | Buffer, fileName: string, mimeType: string) => ({
	data: Buffer.from(bytes as string).toString('base64'),
	fileName,
	mimeType,
});
const RECORDING = toFile(
	Buffer.concat([Buffer.from('RIFF$\0\0\0WAVEfmt '), Buffer.alloc(30)]),
	'memo.wav',
	'audio/wav',
);
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const CHAT_FILES: IBinaryKeyData = {
	data: RECORDING,
	data1: toFile(PNG, 'cat.png', 'image/png'),
	data2: toFile(PNG, 'dog.png', 'image/png'),
	data3: toFile(PNG, 'cow.png', 'image/png'),
	data4: toFile('PK\u0003\u0004', 'all.zip', 'application/zip'),
};
const CHAT_MESSAGE: INodeExecutionData = {
	json: {
		sessionId: 's1',
		action: 'sendMessage',
		chatInput: 'Hello',
		files: Object.entries(CHAT_FILES).map(([binaryKey, { fileName }]) => ({ binaryKey, fileName })),
	},
	binary: CHAT_FILES,
};

describe('with the files of a chat message', () => {
	/** Operations with a field for the files of a message. */
	const READS_FILES = ['Files', 'Input Binary Fields'];
	/** Its field names the file in `data`, whose bytes are sent without a name. */
	const SENDS_DATA = 'Local Llama image ask';

	test.each([
		{ app: 'any', suffix: 'chat' },
		{ app: 'an app for two images', suffix: 'images' },
	])('$app: each is sent, or a hint names it', async ({ suffix }) => {
		const readers = operations
			.filter(({ labels }) => labels.some((label) => READS_FILES.includes(label)))
			.map(({ name }) => name);
		expect(readers).toEqual(expect.arrayContaining(['Dify Chat Message', 'Local Llama text chat']));
		const ran = await runAll(suffix, { items: [CHAT_MESSAGE] });
		let sent = 0;
		const problems = ran.flatMap(({ name, outcome, hints, items }) => {
			if (outcome instanceof Error)
				return OTHER_TYPE.test(outcome.message) ? [] : [`${name}: ${outcome.message}`];
			const lost = ADDS_TO_ITEM.test(name)
				? items.flatMap((result) => findLost(CHAT_MESSAGE, result, { hints }))
				: [];
			const text = getRequests(name, suffix)
				.map((request) => request.text)
				.join();
			const untold = Object.entries(CHAT_FILES).filter(([field, { fileName = '' }]) => {
				if (name === SENDS_DATA && field === 'data') return false;
				const isSent = text.includes(fileName);
				sent += Number(isSent && readers.includes(name));
				return readers.includes(name) && !isSent && !hints.includes(fileName);
			});
			return [
				...lost.map((field) => `${name}: ${field} vanished`),
				...untold.map(([, { fileName }]) => `${name}: ${fileName} was neither sent nor named`),
			];
		});
		expectNoProblems(problems);
		expect(sent).toBe(suffix === 'images' ? 2 : 5);
	});
});

describe('paused', () => {
	test.each(Object.keys(PAUSES))('a run that is %s says so, with its status', async (suffix) => {
		let paused = 0;
		const ran = await runAll(suffix, {});
		const problems = ran.flatMap(({ name, outcome, items, hints }) => {
			if (!getRequests(name, suffix).some(({ line }) => RUN.test(line))) return [];
			paused++;
			if (outcome instanceof Error) return [`${name}: ${outcome.message}`];
			const told = suffix === 'paused' ? /Approve.*accept-it/ : /Approve.*by email/;
			return [
				...(told.test(hints) ? [] : [`${name}: no hint about the pause, but "${hints}"`]),
				...items
					.filter(({ json }) => json.status !== 'paused' || json.forms === undefined)
					.map(({ json }) => `${name}: ${JSON.stringify(json)}`),
			];
		});
		expectNoProblems(problems);
		expect(paused).toBeGreaterThanOrEqual(4);
	});
});

describe('as a tool', () => {
	/** What a request got wrong (400) is for the model, which can correct it. */
	const failures = Object.keys(FAILURES).filter((suffix) => suffix !== 'refusing');

	const servers = ['working', ...Object.keys(PAUSES), ...failures];

	test.each(servers)('nothing about a %s server or the item reaches the model', async (suffix) => {
		const shift = servers.indexOf(suffix);
		const setup = { isTool: true, fields: { earlier: EARLIER }, shift };
		const ran = [
			...(await runAll(suffix, setup)),
			...(await runAll(suffix, { ...setup, continueOnFail: true })),
		];
		const problems = ran.flatMap(({ name, outcome, items }) => {
			const text =
				outcome instanceof Error
					? `${outcome.message} ${(outcome as { description?: string }).description}`
					: JSON.stringify(items.map(({ json }) => json));
			return ABOUT_SERVER.test(text) ? [`${name}: ${text.slice(0, 200)}`] : [];
		});
		expectNoProblems(problems);
	});
});

describe('on the error output', () => {
	/** Sentences and clauses long enough to be noticed twice. */
	const toSentences = (text: string): string[] =>
		text
			.split(/(?<=[.!?])\s+|\n/)
			.map((sentence) =>
				sentence
					.replace(/[.!?]$/, '')
					.trim()
					.toLowerCase(),
			)
			.filter((sentence) => sentence.length > 15);

	test.each(Object.keys(FAILURES))(
		'%s: the item has nothing but its error, each sentence once, and no advice that is followed',
		async (suffix) => {
			const items = [CHAT_MESSAGE, CHAT_MESSAGE];
			const shift = Object.keys(FAILURES).indexOf(suffix);
			const ran = await runAll(suffix, { items, hasErrorOutput: true, shift });
			let failed = 0;
			const problems = ran.flatMap(({ name, outcome, items: results }) => {
				if (outcome instanceof Error) return [`${name}: failed with ${outcome.message}`];
				return results.flatMap(({ json }) => {
					const error = json.error as Record<string, string> | undefined;
					if (error === undefined) return [];
					failed++;
					const { message = '', description = '' } = error;
					const sentences = [message, description].flatMap(toSentences);
					const found = [
						...(Object.keys(json).length === 1 ? [] : ['fields beside the error']),
						...(new Set(sentences).size === sentences.length ? [] : ['a sentence twice']),
						...(/On Error|\[item \d|item 0\b/.test(`${message} ${description}`) ? ['advice'] : []),
					];
					return found.map((what) => `${name}, ${what}: ${message} | ${description}`);
				});
			});
			expectNoProblems(problems);
			expect(failed).toBeGreaterThan(0.4 * ran.length);
		},
	);
});
