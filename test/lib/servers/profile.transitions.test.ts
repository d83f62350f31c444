/** What is known of a server before and after its type is recognized, found again, or replaced by another one. */
import path from 'node:path';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { BodyChange } from '../../../lib/servers/lessons';
import { getProfile } from '../../../lib/servers/profile';
import type { SelectableServerType } from '../../../lib/servers/types/server-type';
import { expectApproved } from '../../support/approved/approved-table';
import { NO_EXECUTION } from '../../support/n8n/node-host';

/** Lists by which types are recognized, and one that says nothing. */
const LISTS = {
	llamaServer: { data: [{ id: 'a', owned_by: 'llamacpp', meta: { n_ctx_train: 9 } }] },
	vllm: { data: [{ id: 'a', owned_by: 'vllm', max_model_len: 7 }] },
	ollama: {
		data: [
			{ id: 'a', owned_by: 'library' },
			{ id: 'b', owned_by: 'library' },
		],
	},
	unknown: { data: [{ id: 'a' }] },
	empty: { data: [] },
};

type ListName = keyof typeof LISTS;

const NAMES = Object.keys(LISTS) as ListName[];

let count = 0;

const FORM: BodyChange = { name: 'a form', apply: (body) => body };

/** Everything that a server may teach. */
const teach = (profile: ReturnType<typeof getProfile>) => {
	profile.storeKnownRoutes('key', { missingUrls: ['http://x'] });
	profile.storeHistoryForms('key', [FORM]);
	profile.storeLessons('key', [FORM]);
	profile.storeLastingFailure('key', 'failure');
	profile.storeReasoningStart('key', true);
	profile.replaceContextSize('a', 5);
};

/** What `teach` taught, as far as it is known. */
const findTaught = (profile: ReturnType<typeof getProfile>): string[] =>
	Object.entries({
		routes: profile.getKnownRoutes('key').missingUrls.length > 0,
		form: profile.getHistoryForms('key').length > 0,
		lessons: profile.getLessons('key').length > 0,
		failure: profile.getLastingFailure('key') !== undefined,
		'start in thinking': profile.startsInReasoning('key'),
		'context size': profile.replaceContextSize('a', 5) !== undefined,
	}).flatMap(([name, isKnown]) => (isKnown ? [name] : []));

const describeTaught = (names: readonly string[]): string =>
	names.length === 6 ? 'all that it taught' : names.join(', ');

const describeProfile = (profile: ReturnType<typeof getProfile>) =>
	[
		profile.getRecognizedName() ?? 'not recognized',
		profile.getOnlyModel() && `only ${profile.getOnlyModel()!.id}`,
		profile.getCachedContext('a') !== undefined &&
			`context ${String(profile.getCachedContext('a'))}`,
		describeTaught(findTaught(profile)),
	]
		.filter(Boolean)
		.join(', ');

const learn = (profile: ReturnType<typeof getProfile>, name: ListName) => {
	profile.learnType({ status: 200, headers: {}, finalUrl: '', json: LISTS[name], text: '' });
};

test('what a server taught stays until another server takes its place', () => {
	const rows = NAMES.flatMap((first) =>
		NAMES.flatMap((second) =>
			[false, true].map((isForgotten) => {
				const baseUrl = `http://server-${String(count++)}`;
				const profile = getProfile(createModelServer({ baseUrl }, NO_EXECUTION));
				teach(profile);
				learn(profile, first);
				const before = describeProfile(profile);
				if (isForgotten) profile.forget();
				learn(profile, second);
				return {
					input: `${first}, then ${isForgotten ? 'forgotten, then ' : ''}${second}`,
					outcome: `${before} | ${describeProfile(profile)}`,
				};
			}),
		),
	);
	expectApproved(
		path.join(__dirname, 'profile.transitions.approved.txt'),
		rows,
		'What is known of a server ends when another takes its place',
	);
});

/** What a response may show of the server that generated it. */
const ORIGINS = {
	'the version of Ollama': { headers: {}, fingerprint: 'fp_ollama' },
	'a build of llama-server': { headers: {}, fingerprint: 'b6123-79c1160b0' },
	'the header of llama-server': { headers: { server: 'llama.cpp' } },
	LiteLLM: { headers: { 'x-litellm-version': '1.80' } },
	'a build of vLLM': { headers: {}, fingerprint: 'vllm-0.11' },
} as const;

type OriginName = keyof typeof ORIGINS;

const ORIGIN_NAMES = Object.keys(ORIGINS) as OriginName[];

test('the type is forgotten for each contradiction once, unless it was selected', () => {
	const rows = ([...NAMES, 'selected'] as const).flatMap((known) =>
		ORIGIN_NAMES.flatMap((first) =>
			ORIGIN_NAMES.map((second) => {
				const serverType: SelectableServerType | undefined =
					known === 'selected' ? 'vllm' : undefined;
				const baseUrl = `http://server-${String(count++)}`;
				const server = createModelServer(
					{ baseUrl, ...(serverType && { serverType }) },
					NO_EXECUTION,
				);
				const profile = getProfile(server);
				const list = known === 'selected' ? 'unknown' : known;
				teach(profile);
				const outcomes = [first, second, first].map((origin) => {
					learn(profile, list);
					const before = profile.getRecognizedName();
					profile.forgetContradictedType(ORIGINS[origin]);
					const after = profile.getRecognizedName();
					return before === after ? 'kept' : 'forgotten';
				});
				expect(profile.getKnownRoutes('key').missingUrls).toHaveLength(1);
				return {
					input: `${known}: ${first}, ${second}, ${first}`,
					outcome: outcomes.join(', '),
				};
			}),
		),
	);
	expectApproved(
		path.join(__dirname, 'profile.transitions.contradictions.approved.txt'),
		rows.filter(({ outcome }) => outcome.includes('forgotten')),
		'A type is forgotten for what contradicts it, once',
	);
});
