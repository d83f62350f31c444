/** The advice of each row of the table, for several values of each fact that it needs. */
import { DIAGNOSES } from '../../../lib/diagnosis/diagnoses';
import type { Facts } from '../../../lib/diagnosis/facts';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ApprovedRow } from '../../support/approved/approved-table';

/** Values of each fact, by a name for the table; `true` where a fact has no other value. */
const VALUES: { readonly [Name in keyof Facts]-?: Readonly<Record<string, Facts[Name]>> } = {
	namedOptions: {
		'a field': [{ field: { name: 'min_p', row: undefined }, value: 2 }],
		'an option and a field': [
			{
				field: { name: 'top_k', row: { field: 'top_k', label: 'Top K', canOmit: true } },
				value: 2,
			},
			{ field: { name: 'min_p', row: undefined }, value: 2 },
		],
	},
	media: {
		jpeg: [{ mimeType: 'image/jpeg' }],
		'jpeg and webp': [{ mimeType: 'image/jpeg' }, { mimeType: 'image/webp' }],
		'a URL': [{ mimeType: undefined }],
	},
	largestPart: { part: 'Shorten the input.' },
	shorterPrompt: { shorter: 'Or shorten the text.' },
	textNoun: { document: 'Document' },
	refusedText: {
		unreadable: { isUnreadable: true, isShortened: false },
		shortened: { isUnreadable: false, isShortened: true },
		refused: { isUnreadable: false, isShortened: false },
	},
	recording: { wav: 'audio/wav', ogg: 'audio/ogg' },
	brokenUpload: {
		'of 1 MB': { fileSize: 1_000_000, sentBytes: 70_000 },
		'below 1 MB': { fileSize: 999_999, sentBytes: 70_000 },
	},
	convertedRules: { schema: 'schema', grammar: 'grammar', tools: 'tools' },
	hasFixedSeed: { seed: true },
	hasFormatWithTools: { 'format and tools': true },
	hasFormatTool: { 'format tool': true },
	isSilentTask: { silent: true },
	wasSent: { sent: true },
	task: { embeddings: 'embeddings', rerank: 'rerank' },
	model: { m: 'm', 'no model': '' },
	serverType: {
		other: SERVER_TYPES.other,
		llamaServer: SERVER_TYPES.llamaServer,
		ollama: SERVER_TYPES.ollama,
		litellm: SERVER_TYPES.litellm,
	},
	lacksRoutes: { 'lacks routes': true },
	isUnprovenAddress: { unproven: true },
	mayLackModel: { 'may lack it': true },
	keyBehind: { 'key behind': 'Correct the key behind it.' },
	modelBehind: { 'model behind': 'Correct the model behind it.' },
	isListedForKey: { listed: true },
	isInKnownList: { listed: true },
	otherModels: { none: [], two: ['b', 'c'] },
	isModelMissing: { missing: true },
	contextSizes: {
		'4096 of 32768': { current: 4096, trained: 32768, slots: 2 },
		'4096 of 4096': { current: 4096, trained: 4096, slots: 1 },
		unknown: { current: undefined, trained: Infinity, slots: undefined },
	},
	truncation: { cut: 'The server truncated the input.' },
	checkedService: { modelServer: 'modelServer', dify: 'dify' },
	isTestGeneration: { test: true },
	connectionAdvice: { 'connection advice': 'Check for a firewall.' },
	isConnected: { connected: true },
	status: { 404: 404, 501: 501 },
	hasNoSentence: { 'no sentence': true },
	isModelServer: { 'model server': true },
	isRightAddress: { 'right address': true },
	isAboutMedia: { 'about media': true },
	hasPlainAdvice: { plain: true },
	isRouteMissing: { 'route missing': true },
	isEmptyBody: { empty: true },
	promptTokens: { '3000 tokens': 3000, '9000 tokens': 9000 },
	contextTokens: { 'of 4096': 4096 },
	responseTokens: { '1097 more': 1097, '4096 more': 4096, '100 more': 100 },
	currentAdvice: { current: 'As its type says.' },
};

interface Combination {
	names: readonly string[];
	facts: Readonly<Record<string, unknown>>;
}

const combine = (needs: ReadonlyArray<keyof Facts>): Combination[] =>
	needs.reduce<Combination[]>(
		(all, need) =>
			all.flatMap(({ names, facts }) =>
				Object.entries(VALUES[need]).map(([name, value]) => ({
					names: [...names, name],
					facts: { ...facts, [need]: value as unknown },
				})),
			),
		[{ names: [], facts: {} }],
	);

/** Rows of the table of texts: one for each advice of a row of the diagnoses. */
export const listDiagnosisTexts = (): ApprovedRow[] =>
	DIAGNOSES.flatMap(({ types, needs, advise }, index): ApprovedRow[] => {
		const subject = `${String(index + 1)} ${types.length > 9 ? 'many types' : types.join(', ')}`;
		const byAdvice = new Map<string, string[]>();
		for (const { names, facts } of combine(needs)) {
			const advice = advise(facts as unknown as Facts);
			const text = typeof advice === 'string' ? advice : (JSON.stringify(advice) ?? 'none');
			byAdvice.set(text, [...(byAdvice.get(text) ?? []), names.join(', ')]);
		}
		return [...byAdvice].map(([advice, names]) => ({
			input: `${subject}: ${names.join(' | ')}`,
			outcome: advice,
		}));
	});
