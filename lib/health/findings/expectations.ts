/** What the user needs and the server does not have. */
import { isModelNamed } from '../../servers/model-names';
import { bodyOf, kindOfServer } from '../answers';
import type { HealthServerKind, ModelFacts } from '../observations';
import { advise, AS_WARNING, type FindingWithStatus } from './finding';
import type { Evidence, Rule, Rules } from './rules';
import { largestOf } from '../../values';

const MAX_NAMED = 5;
const LISTS_NOTHING = '/v1/models lists nothing';

/** For what is to be looked at unless a list without models is an error, which explains whatever else is missing. */
const withModels =
	(rule: Rule): Rule =>
	(evidence) =>
		lacksModels(evidence) ? undefined : rule(evidence);

/** The same for the models that may serve the expectations: none where the server lists nothing. */
const withCandidates = (
	rule: (candidates: ModelFacts[], evidence: Evidence) => ReturnType<Rule>,
): Rule =>
	withModels((evidence) => {
		const candidates = candidatesIn(evidence);
		const isOtherMissing = candidates.length === 0 && evidence.facts.models.length > 0;
		return isOtherMissing ? undefined : rule(candidates, evidence);
	});

export const EXPECTATION_RULES: Rules = {
	noModels: (evidence) => {
		const { facts, isUnlisted, kindName } = evidence;
		if (facts.models.length > 0 || isUnlisted) return undefined;
		const change = lacksModels(evidence) ? {} : AS_WARNING;
		return advise('noModels', LISTS_NOTHING, { server: kindName }, change);
	},

	model: withModels((evidence) => {
		const { model } = evidence.observations.expectations;
		if (model === undefined) return undefined;
		const expected = expectedModel(evidence);
		return expected === undefined
			? missingModelFinding(model, evidence)
			: stateFinding(expected, model, evidence);
	}),

	contextTooSmall: withCandidates((candidates, { observations, facts, kindName }) => {
		const { minContext = 0 } = observations.expectations;
		if (minContext <= 0) return undefined;
		const known = candidates.flatMap(({ context }) => context ?? []);
		if (known.length === 0)
			return advise('notTold', 'No answer names the context size', {
				what: `${minContext} tokens of context`,
			});
		const context = largestOf(known);
		if (context >= minContext) return undefined;
		return advise('contextTooSmall', `The context of one request is ${context} tokens`, {
			context,
			required: minContext,
			slots: facts.slots.total ?? undefined,
			server: kindName,
		});
	}),

	runsElsewhere: (evidence) => {
		const expected = expectedModel(evidence);
		const severity = expected === undefined ? 'info' : 'warning';
		const models = expected === undefined ? evidence.facts.models : [expected];
		return models.flatMap(({ id: model, remoteHost: host }) =>
			host === null
				? []
				: [
						advise(
							'runsElsewhere',
							`/api/tags says remote_host ${host}`,
							{ model, host },
							{ severity },
						),
					],
		);
	},
};

export function findModel(
	models: readonly ModelFacts[],
	name: string,
	kindName: HealthServerKind,
): ModelFacts | undefined {
	return models.find((model) =>
		isModelNamed(model, name, kindOfServer(kindName).models.isSameName),
	);
}

/**
 * Whether the server should list models, and has none. An empty list of a server of no known kind proves nothing:
 * mlx-lm lists what is in its cache only.
 */
function lacksModels(evidence: Evidence): boolean {
	const { facts, kindName } = evidence;
	if (facts.models.length > 0 || mayHaveUnlisted(evidence)) return false;
	return kindName !== 'openAiCompatible';
}

/** Whether the server may have models although it lists none. */
function mayHaveUnlisted({ kind, isUnlisted }: Evidence): boolean {
	return isUnlisted || kind.models.mayListNone === true;
}

/** The model that the expectations name, if the server has it. */
function expectedModel({ observations, facts, kindName }: Evidence): ModelFacts | undefined {
	const { model } = observations.expectations;
	return model === undefined ? undefined : findModel(facts.models, model, kindName);
}

/**
 * The models of which one must meet the expectations: the one that is named. Without a name it is enough that one of
 * all can do it; a server with one model answers with that, whatever is asked for.
 */
function candidatesIn(evidence: Evidence): ModelFacts[] {
	const expected = expectedModel(evidence);
	if (expected !== undefined) return [expected];
	const isAnyModel =
		evidence.observations.expectations.model === undefined ||
		evidence.kind.models.ignoresName === true;
	return isAnyModel ? evidence.facts.models : [];
}

function missingModelFinding(model: string, evidence: Evidence): FindingWithStatus {
	const { facts, kind, kindName } = evidence;
	const { models } = facts;
	if (models.length === 0 && mayHaveUnlisted(evidence))
		return advise('notTold', LISTS_NOTHING, { what: `requests for the model ${model}` });
	if (models.length === 0)
		return advise('modelMissing', LISTS_NOTHING, { model, server: kindName });
	// One model, one answer: the name is ignored (docs/protocols/llama-server.md 4.3).
	const id = kind.models.ignoresName === true ? 'otherModel' : 'modelMissing';
	const others = models.map((one) => one.id);
	const more = others.length > MAX_NAMED ? ', …' : '';
	const observed = `/v1/models lists ${others.slice(0, MAX_NAMED).join(', ')}${more}`;
	return advise(id, observed, { model, others, server: kindName });
}

/** A model that is there, but not in memory. `model`: its name in the expectations. */
function stateFinding(
	{ state }: ModelFacts,
	model: string,
	{ observations, kind, kindName }: Evidence,
): FindingWithStatus | undefined {
	const facts = { model, server: kindName };
	if (state === 'loading' || state === 'downloading')
		return advise('modelLoading', `/v1/models says ${state}`, facts);
	if (state !== 'unloaded' && state !== 'downloaded') return undefined;
	const isLoadedByRequest =
		kind.health.reports !== 'process' ||
		bodyOf(observations.probes.props).models_autoload !== false;
	if (isLoadedByRequest) return advise('modelNotLoaded', `It is ${state}`, facts);
	const observed = `/v1/models says ${state}, /props says models_autoload false`;
	return advise('modelNotLoadedForGood', observed, facts);
}
