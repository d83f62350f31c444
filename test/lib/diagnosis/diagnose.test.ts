import fc from '../../support/jest/fast-check';
import type { ErrorType } from '../../../lib/errors/error-types';
import { ERROR_TYPES } from '../../../lib/errors/error-types';
import { createServerError } from '../../../lib/errors/create-error';
import { DIAGNOSES } from '../../../lib/diagnosis/diagnoses';
import { diagnose } from '../../../lib/diagnosis/diagnose';
import { defineDiagnosis } from '../../../lib/diagnosis/diagnosis';
import type { Facts, FactSources } from '../../../lib/diagnosis/facts';
import { SERVER_TYPES } from '../../../lib/servers/types';

type FactName = keyof Facts;

/** Everything is known. */
const FACTS: Facts = {
	namedOptions: [{ field: { name: 'min_p', row: undefined }, value: 2 }],
	media: [{ mimeType: 'image/webp' }],
	largestPart: 'The largest part of the prompt is the input: shorten it.',
	shorterPrompt: 'Or shorten the text.',
	textNoun: 'Text',
	refusedText: { isUnreadable: true, isShortened: false },
	recording: 'audio/ogg',
	brokenUpload: { fileSize: 5_000_000, sentBytes: 70_000 },
	convertedRules: 'schema',
	hasFixedSeed: true,
	hasFormatWithTools: true,
	hasFormatTool: true,
	isSilentTask: true,
	wasSent: true,
	task: 'rerank',
	model: 'a-model',
	serverType: SERVER_TYPES.vllm,
	lacksRoutes: true,
	isUnprovenAddress: true,
	mayLackModel: true,
	keyBehind: 'Correct the key of the server behind it.',
	modelBehind: 'Correct the name of the model behind it.',
	isListedForKey: true,
	isInKnownList: true,
	otherModels: ['b-model'],
	isModelMissing: true,
	contextSizes: { current: 4_096, trained: 32_768, slots: 1 },
	truncation: 'The server truncated the input.',
	checkedService: 'modelServer',
	isTestGeneration: true,
	connectionAdvice: 'Check for a firewall.',
	isConnected: true,
	status: 404,
	hasNoSentence: true,
	isModelServer: true,
	isRightAddress: true,
	isAboutMedia: true,
	hasPlainAdvice: true,
	isRouteMissing: true,
	isEmptyBody: true,
	promptTokens: 3_000,
	contextTokens: 4_096,
	responseTokens: 4_000,
	currentAdvice: 'The advice of the type.',
};

const NAMES = Object.keys(FACTS) as FactName[];

const toSources = (names: readonly FactName[]) =>
	Object.fromEntries(
		NAMES.map((name) => [name, () => (names.includes(name) ? FACTS[name] : undefined)]),
	) as FactSources;

const createError = (type: ErrorType) =>
	createServerError(
		type,
		{ url: 'http://gpu' },
		{ title: 'The sentence of the server', isServerText: true, suggestion: FACTS.currentAdvice },
	);

const anyType = fc.constantFrom(...ERROR_TYPES.filter((type) => type !== 'aborted'));

test('a row is asked only if all of its facts are known, and gets exactly these', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, fc.subarray(NAMES), async (type, names) => {
			const table = DIAGNOSES.map((row) => ({
				...row,
				advise: (facts: Facts) => {
					expect(Object.keys(facts).sort()).toEqual([...row.needs].sort());
					expect(names).toEqual(expect.arrayContaining([...row.needs]));
					return row.advise(facts);
				},
			}));
			await diagnose(createError(type), toSources(names), table);
		}),
	);
});

test('without facts, an error keeps the advice of its type', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, async (type) => {
			const error = createError(type);
			expect(await diagnose(error, {})).toMatchObject({ type, suggestion: error.suggestion });
		}),
	);
});

test('the sentence of a server stays the title, whatever is known', async () => {
	await fc.assert(
		fc.asyncProperty(anyType, fc.subarray(NAMES), async (type, names) => {
			const { message } = await diagnose(createError(type), toSources(names));
			expect(message).toBe('The sentence of the server');
		}),
	);
});

describe('each row', () => {
	const rows = DIAGNOSES.map((row, at) => ({ row, name: `${at}: ${row.needs.join(', ')}` }));

	test.each(rows)('applies to an error that has its facts: $name', async ({ row }) => {
		// Two rows are about what other facts exclude.
		const facts: Facts = {
			...FACTS,
			refusedText: { isUnreadable: true, isShortened: true },
			task: row.needs.includes('status') ? 'rerank' : 'embeddings',
			serverType: SERVER_TYPES.ollama,
			responseTokens: row.needs.includes('promptTokens') ? 4_000 : 5_000,
		};
		expect(row.advise(facts) ?? row.types).not.toEqual([]);
		expect(row.advise(facts)).toBeDefined();
	});

	test.each(rows.filter(({ row }) => row.needs.length > 0))(
		'is silent without one of its facts: $name',
		async ({ row }) => {
			const advice = row.advise(FACTS);
			if (advice === undefined) return;
			for (const missing of row.needs) {
				const known = row.needs.filter((name) => name !== missing);
				const sources = toSources(known);
				for (const type of row.types.filter((name) => name !== 'aborted')) {
					const { suggestion } = await diagnose(createError(type), sources, [row]);
					expect({ type, missing, suggestion }).toEqual({
						type,
						missing,
						suggestion: FACTS.currentAdvice,
					});
				}
			}
		},
	);
});

test('a fact is looked up once, and only if a row needs it', async () => {
	const looked: string[] = [];
	const count = (name: FactName) => () => {
		looked.push(name);
		return undefined;
	};
	const sources = Object.fromEntries(NAMES.map((name) => [name, count(name)])) as FactSources;
	await diagnose(createError('connectionRefused'), sources);
	expect(looked.filter((name) => name !== 'refusedText')).toEqual([]);
	looked.length = 0;
	await diagnose(createError('promptTooLong'), sources);
	expect(looked).toEqual([...new Set(looked)]);
	expect(looked).not.toContain('otherModels');
});

test('Stop waits for no fact', async () => {
	const serverType = jest.fn();
	const error = createServerError('aborted', { url: 'http://gpu' });
	expect(await diagnose(error, { serverType })).toBe(error);
	expect(serverType).not.toHaveBeenCalled();
});

test('the compiler gives a row no fact that it does not need', () => {
	const row = defineDiagnosis({
		types: ['badRequest'],
		needs: ['model'],
		// @ts-expect-error a fact that the row does not need
		advise: ({ model, status }) => `${model} ${String(status)}`,
	});
	expect(row.needs).toEqual(['model']);
});
