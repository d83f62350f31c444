/** Whether the API of a model server answers. */
import { listOf } from '../answers';
import { isRefused } from '../key-answers';
import type { Observations, Probe, ProbeFailure } from '../observations';
import { withAlternative } from './address';
import { advise, describeProbe, failureFor, fromFailure, type FindingWithStatus } from './finding';
import { refusedKeyFinding } from './key';
import type { Evidence, Rule, Rules } from './rules';

const LOADING_ADVICE =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if it never ends, read the log of the server.';

/** The list of models was asked for, but there is none. */
interface NoList {
	models: Probe;
	failure: ProbeFailure;
	/** What was seen of it. */
	observed: string;
	url: NonNullable<Observations['url']>;
}

const whenNoList =
	(rule: (noList: NoList, evidence: Evidence) => FindingWithStatus | undefined): Rule =>
	(evidence) => {
		const noList = noListIn(evidence);
		return noList === undefined ? undefined : rule(noList, evidence);
	};

export const API_RULES: Rules = {
	thisIsDify: ({ observations: { probes, url }, kindName }) =>
		kindName === 'dify' && probes.models !== undefined
			? advise('thisIsDify', describeProbe(probes.models), { url: url?.origin })
			: undefined,

	loading: ({ observations: { probes } }) => {
		const loading = [probes.models, probes.health].find(
			(probe) => probe?.failure?.kind === 'loading',
		);
		return loading?.failure === undefined
			? undefined
			: fromFailure(loading.failure, describeProbe(loading), { advice: LOADING_ADVICE });
	},

	sameAnswerEverywhere: ({ observations: { probes } }) =>
		listOf(probes.models) !== undefined && answersAllAlike(probes)
			? fromFailure(
					failureFor('wrongServer'),
					`${describeProbe(probes.models!)}, the same as at every other route`,
				)
			: undefined,

	stuck: whenNoList(({ models, observed }, { observations }) => {
		if (models.answered || models.failure.kind !== 'totalLimit') return undefined;
		const { health } = observations.probes;
		return advise('stuck', isUp(health) ? `${observed}; ${describeProbe(health)}` : observed);
	}),

	keyRefused: whenNoList(({ failure, observed }, evidence) =>
		failure.kind === 'unauthorized' || failure.kind === 'forbidden'
			? refusedKeyFinding(evidence, failure, observed)
			: undefined,
	),

	ollamaWithoutV1: whenNoList(({ failure, observed, url }, { kind }) =>
		failure.kind === 'wrongPath' && kind.health.reports === 'models'
			? advise('ollamaWithoutV1', observed, { url: url.origin })
			: undefined,
	),

	noApi: whenNoList(({ failure, observed }, { observations }) =>
		fromFailure(failure, ...withAlternative(observations, observed, failure.remedy)),
	),
};

function noListIn(evidence: Evidence): NoList | undefined {
	const { observations, facts } = evidence;
	const { probes, url } = observations;
	// A server without a list may check the key only on the routes that it has.
	const routes = [probes.models, probes.info, probes.ollamaVersion];
	const models = routes.find(isRefused) ?? probes.models;
	if (models === undefined || url === undefined) return undefined;
	const hasList = listOf(models) !== undefined || facts.models.length > 0;
	if (hasList || isNormalWithoutList(models, evidence)) return undefined;
	return {
		models,
		failure: models.failure ?? failureFor('invalidAnswer', { root: url.root }),
		observed: describeNoList(models, probes.health),
		url,
	};
}

/** Whether a server of this kind sends no list although all is well. */
function isNormalWithoutList(models: Probe, { kind, isUnlisted }: Evidence): boolean {
	if (!models.answered) return false;
	if (models.status === 404) return isUnlisted;
	// mlx-lm sends nothing in place of a list with nothing in it.
	return kind.models.mayListNone === true && models.status === 200 && models.text.trim() === '';
}

function describeNoList(models: Probe, health: Probe | undefined): string {
	if (!models.answered || !isUp(health)) return describeProbe(models);
	return `${describeProbe(health)}; ${describeProbe(models)}`;
}

function isUp(health: Probe | undefined): health is Probe {
	return health?.answered === true && health.status === 200;
}

/** Whether the server gives the same JSON on every route. */
function answersAllAlike({
	models,
	props,
	version,
	ollamaVersion,
}: Observations['probes']): boolean {
	const [first, ...others] = [models, props, version, ollamaVersion].map((probe) =>
		probe?.answered === true && probe.status < 300 ? probe.text.trim() : '',
	);
	return first !== '' && others.every((text) => text === first);
}
