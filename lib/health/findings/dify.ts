/** Findings from the answers of Dify: docs/protocols/dify.md 1.1, 1.3, 2.11, 6. */
import { describeDifyFailure } from '../../dify/errors/classify';
import type { FailureKind } from '../../errors/kinds';
import { isRecord } from '../../values';
import { bodyOf } from '../answers';
import { modelsOf, searchableBases } from '../dify-bases';
import type { Observations, Probe } from '../observations';
import { movedFinding, withAlternative } from './address';
import {
	advise,
	describeProbe,
	failureFor,
	fromFailure,
	statusOf,
	type FindingWithStatus,
} from './finding';
import type { Rule, Rules } from './rules';

type Answered = Extract<Probe, { answered: true }>;
type KeyType = NonNullable<Observations['keyType']>;

/** Failures caused by settings of the app or its address. Other refusals of Dify may be temporary. */
const MISCONFIGURED: ReadonlySet<FailureKind> = new Set([
	'appDisabled',
	'appUnusable',
	'appUnavailable',
	'notPublished',
	'providerCredentials',
	'webFrontend',
	'wrongServer',
	'routeNotFound',
	'redirect',
]);

/** The answer of the route that the key is for. */
const whenAnswered =
	(rule: (main: Answered, observations: Observations) => ReturnType<Rule>): Rule =>
	({ observations }) => {
		const main = mainProbe(observations);
		return main?.answered === true ? rule(main, observations) : undefined;
	};

/** The same, where Dify refused it or something else answered. */
const whenRefused = (rule: (main: Answered, observations: Observations) => ReturnType<Rule>) =>
	whenAnswered((main, observations) =>
		isFine(main, keyTypeOf(observations)) ? undefined : rule(main, observations),
	);

export const DIFY_RULES: Rules = {
	thisIsAModelServer: ({ observations: { probes } }) => {
		const foreign = Object.values(probes).find(
			(probe) => probe.answered && /llama\.cpp/i.test(probe.headers.server ?? ''),
		);
		return foreign && advise('thisIsAModelServer', describeProbe(foreign));
	},

	unanswered: ({ observations }) => unansweredFinding(mainProbe(observations)),

	notDify: whenRefused((main) =>
		main.status < 300 && isRecord(main.json) ? advise('notDify', describeProbe(main)) : undefined,
	),

	movedWithKey: whenRefused((main) => (main.status === 401 ? movedFinding(main) : undefined)),

	difyWrongKeyType: whenRefused((main, observations) => {
		const keyType = keyTypeOf(observations);
		const other = probeOf(observations, otherThan(keyType));
		if (main.status !== 401 || other?.answered !== true || !isFine(other, otherThan(keyType)))
			return undefined;
		return advise('difyWrongKeyType', `${describeProbe(main)}; ${describeProbe(other)}`, {
			keyType,
		});
	}),

	refused: whenRefused((main, observations) => refusedFinding(observations, main)),

	parametersUnanswered: ({ observations: { probes } }) => unansweredFinding(probes.difyParameters),

	parametersRefused: ({ observations }) => {
		const { difyParameters: parameters } = observations.probes;
		if (parameters?.answered !== true) return undefined;
		const isUsable = parameters.status < 300 && isRecord(parameters.json);
		return isUsable ? undefined : refusedFinding(observations, parameters);
	},

	searches: ({ observations }) =>
		searchesIn(observations).flatMap((search) => searchFinding(observations, search) ?? []),

	difyNotChecked: whenAnswered((main, observations) => [
		...[movedFinding(main) ?? []].flat(),
		modelsFinding(main, observations),
	]),
};

/** The searches that asked the models behind Dify. */
function searchesIn({ perModel }: Observations): Probe[] {
	return Object.values(perModel).flatMap(({ search }) => search ?? []);
}

/** What is wrong with a search, if anything. */
function searchFinding(observations: Observations, search: Probe): FindingWithStatus | undefined {
	if (!search.answered) return advise('difyModelSlow', describeProbe(search));
	return search.status < 300 ? undefined : refusedFinding(observations, search);
}

/** What is known about the models behind Dify, where nothing failed. */
function modelsFinding(main: Answered, observations: Observations): FindingWithStatus {
	const { asksModels = false, probes } = observations;
	if (!asksModels) return advise('difyNotChecked', describeProbe(main));
	if (keyTypeOf(observations) === 'app') return advise('difyModelsUnknown', describeProbe(main));
	const searches = searchesIn(observations);
	if (searches.length === 0) return advise('difyNothingToSearch', describeProbe(main));
	const models = searchableBases(bodyOf(probes.difyDatasets)).flatMap(modelsOf);
	return advise('difyModelsAnswer', searches.map(describeProbe).join('; '), {
		others: [...new Set(models)],
	});
}

/** How many knowledge bases the key opens, if Dify told. */
export function knowledgeBases({ probes }: Observations): number | undefined {
	const { total } = bodyOf(probes.difyDatasets);
	return typeof total === 'number' ? total : undefined;
}

function keyTypeOf({ keyType = 'app' }: Observations): KeyType {
	return keyType;
}

function otherThan(keyType: KeyType): KeyType {
	return keyType === 'app' ? 'knowledge' : 'app';
}

function probeOf({ probes }: Observations, keyType: KeyType): Probe | undefined {
	return keyType === 'knowledge' ? probes.difyDatasets : probes.difyInfo;
}

function mainProbe(observations: Observations): Probe | undefined {
	return probeOf(observations, keyTypeOf(observations));
}

/** Where other probes have an answer: else `ADDRESS_RULES` reports it. */
function unansweredFinding(probe: Probe | undefined): FindingWithStatus | undefined {
	if (probe === undefined || probe.answered) return undefined;
	if (probe.failure.kind === 'totalLimit') return advise('difySlow', describeProbe(probe));
	return fromFailure(probe.failure, describeProbe(probe), { status: 'degraded' });
}

function isFine(probe: Answered, keyType: KeyType): boolean {
	if (probe.status >= 300 || !isRecord(probe.json)) return false;
	const { data, has_more: hasMore, name, mode, tags } = probe.json;
	if (keyType === 'knowledge') return Array.isArray(data) && typeof hasMore === 'boolean';
	// Many programs say {"name": …} of themselves. Before 1.0 there was no mode (docs/protocols/dify.md 2.10).
	return typeof name === 'string' && (typeof mode === 'string' || Array.isArray(tags));
}

function refusedFinding(observations: Observations, probe: Answered): FindingWithStatus {
	const refusal = describeDifyFailure({
		status: probe.status,
		body: probe.text,
		contentType: probe.headers['content-type'],
		challenge: probe.headers['www-authenticate'],
		method: probe.method,
	});
	const isEmptyPage = refusal.kind === 'emptyAnswer' && probe.status < 300;
	const kind = isEmptyPage ? 'wrongServer' : refusal.kind;
	const failure = failureFor(kind, {
		service: 'dify',
		status: refusal.status,
		keyMissing: kind === 'unauthorized' && !observations.keySet,
	});
	const words = [
		`${probe.method} ${probe.url}: HTTP ${probe.status}`,
		refusal.code === undefined ? '' : ` ${refusal.code}`,
		refusal.serverText === undefined ? '' : `, "${refusal.serverText}"`,
	];
	const [observed, change] = withAlternative(observations, words.join(''), failure.remedy);
	const status = statusOf(kind, MISCONFIGURED.has(kind) ? 'misconfigured' : 'degraded');
	return fromFailure(failure, observed, { id: `dify${capitalised(kind)}`, status, ...change });
}

function capitalised(kind: string): string {
	return kind.charAt(0).toUpperCase() + kind.slice(1);
}
