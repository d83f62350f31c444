import { advise, fromFailure, failureFor, AS_WARNING, type FindingWithStatus } from './finding';
import { bodyOf, kindOfServer } from '../answers';
import { isModelNamed } from '../../servers/model-names';
import type { HealthServerKind, ModelFacts, Observations, ServerReport } from '../observations';

/** What the user needs and the server does not have, each as a finding. */
export function expectationFindings(
	observations: Observations,
	report: ServerReport,
): FindingWithStatus[] {
	const { expectations } = observations;
	const { models } = report;
	const { kind } = report.server;
	if (models.length === 0) {
		const facts = { server: kind };
		const isUsual = kindOfServer(kind).mayListNothing === true;
		return [advise('noModels', '/v1/models lists nothing', facts, isUsual ? AS_WARNING : {})];
	}
	const wanted =
		expectations.model === undefined ? undefined : findModel(models, expectations.model, kind);
	// Without a name it is enough that one of the models can do it; llama-server with one model answers with that,
	// whatever is asked for.
	const subjects =
		wanted !== undefined
			? [wanted]
			: expectations.model === undefined || kindOfServer(kind).ignoresModelName
				? models
				: [];
	return [
		...modelFindings(observations, report, wanted),
		...(subjects.length === 0
			? []
			: [
					...abilityFindings(observations, report, subjects),
					...contextFindings(observations, report, subjects),
				]),
		...vectorFindings(observations, report, subjects),
		...slotFindings(observations, report),
		...remoteFindings(models, wanted),
	];
}

export function findModel(
	models: readonly ModelFacts[],
	name: string,
	kind: HealthServerKind,
): ModelFacts | undefined {
	return models.find((model) => isModelNamed(model, name, kindOfServer(kind)));
}

/** Models that run on a remote host, though the server lists them. */
function remoteFindings(
	models: readonly ModelFacts[],
	wanted: ModelFacts | undefined,
): FindingWithStatus[] {
	return (wanted === undefined ? models : [wanted]).flatMap(({ id: model, remoteHost }) =>
		remoteHost === null
			? []
			: [
					advise(
						'runsElsewhere',
						`/api/tags says remote_host ${remoteHost}`,
						{ model, host: remoteHost },
						{ severity: wanted === undefined ? 'info' : 'warning' },
					),
				],
	);
}

function modelFindings(
	{ expectations, probes }: Observations,
	{ models, server }: ServerReport,
	wanted: ModelFacts | undefined,
): FindingWithStatus[] {
	const { model } = expectations;
	if (model === undefined) return [];
	const others = models.map(({ id }) => id);
	const observed = `/v1/models lists ${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}`;
	const facts = { model, others, server: server.kind };
	if (wanted === undefined) {
		// One model, one answer: the name is ignored (docs/protocols/llama-server.md 4.3).
		if (kindOfServer(server.kind).ignoresModelName) return [advise('otherModel', observed, facts)];
		return [advise('modelMissing', observed, facts)];
	}
	const { state } = wanted;
	if (state === 'loading' || state === 'downloading')
		return [advise('modelLoading', `/v1/models says ${state}`, facts)];
	if (state !== 'unloaded' && state !== 'downloaded') return [];
	const loadsByItself =
		kindOfServer(server.kind).llamaApi !== 'router' ||
		bodyOf(probes.props).models_autoload !== false;
	return loadsByItself
		? [advise('modelNotLoaded', `It is ${state}`, facts)]
		: [
				advise(
					'modelNotLoadedForGood',
					`/v1/models says ${state}, /props says models_autoload false`,
					facts,
				),
			];
}

/** What a model can do, and which answer states it. */
const ABILITIES = [
	{
		name: 'vision',
		kind: 'modalityUnsupported',
		takes: 'images',
		told: 'the inputs',
		prop: 'modalities.vision',
	},
	{
		name: 'tools',
		kind: 'toolsUnsupported',
		takes: 'tools',
		told: 'the chat template',
		prop: 'chat_template_caps.supports_tools',
	},
] as const;

function abilityFindings(
	{ expectations }: Observations,
	{ server }: ServerReport,
	subjects: readonly ModelFacts[],
): FindingWithStatus[] {
	const names = subjects.map(({ id }) => id).join(', ');
	const isLlama = kindOfServer(server.kind).llamaApi === 'oneModel';
	const wanted = ABILITIES.filter(({ name }) => expectations[name] === true);
	return wanted.flatMap(({ name, kind, takes, told, prop }) => {
		const able = anyOf(subjects.map((model) => model[name]));
		if (able === null)
			return [advise('notTold', `No answer names ${told} of ${names}`, { what: name })];
		const observed = isLlama ? `/props says ${prop} false` : `None of ${names} takes ${takes}`;
		return able ? [] : [fromFailure(failureFor(kind), observed)];
	});
}

/** Embeddings and reranking: llama-server states them for the server, others for each model or not at all. */
function vectorFindings(
	{ expectations, url }: Observations,
	{ server, features }: ServerReport,
	subjects: readonly ModelFacts[],
): FindingWithStatus[] {
	const findings: FindingWithStatus[] = [];
	const names = subjects.map(({ id }) => id).join(', ');
	if (expectations.embeddings) {
		const able = features.embeddings ?? anyOf(subjects.map(({ embeddings }) => embeddings));
		if (able === false) {
			const observed =
				features.embeddings === false
					? '/v1/embeddings answers 501'
					: `None of ${names} makes embeddings`;
			findings.push(advise('embeddingsOff', observed, { server: server.kind }));
		}
		if (able === null)
			findings.push(advise('notTold', 'No answer tells of embeddings', { what: 'embeddings' }));
	}
	if (!expectations.rerank) return findings;
	const { aliasWithoutRerank } = kindOfServer(server.kind);
	if (aliasWithoutRerank !== undefined && url?.api.endsWith(aliasWithoutRerank))
		findings.push(
			advise('rerankOnlyUnderV1', `The Base URL leads to ${url.api}`, { url: url.root }),
		);
	else if (features.rerank === false)
		findings.push(
			advise(
				'rerankOff',
				kindOfServer(server.kind).reranks === false
					? `This is ${kindOfServer(server.kind).label}`
					: '/v1/rerank answers 501',
				{ server: server.kind },
			),
		);
	else if (features.rerank === null)
		findings.push(advise('notTold', 'No answer tells of reranking', { what: 'reranking' }));
	return findings;
}

/** True if any value is true, else null if one is unknown or the list is empty. */
function anyOf(values: ReadonlyArray<boolean | null>): boolean | null {
	if (values.includes(true)) return true;
	return values.length === 0 || values.includes(null) ? null : false;
}

function contextFindings(
	{ expectations }: Observations,
	report: ServerReport,
	subjects: readonly ModelFacts[],
): FindingWithStatus[] {
	const { minContext } = expectations;
	if (minContext === undefined || minContext <= 0) return [];
	const known = subjects.flatMap(({ context }) => (context === null ? [] : [context]));
	if (known.length === 0)
		return [
			advise('notTold', 'No answer names the context size', {
				what: `${minContext} tokens of context`,
			}),
		];
	const context = Math.max(...known);
	if (context >= minContext) return [];
	const facts = {
		context,
		wanted: minContext,
		slots: report.slots.total ?? undefined,
		server: report.server.kind,
	};
	return [advise('contextTooSmall', `The context of one request is ${context} tokens`, facts)];
}

function slotFindings(
	{ expectations }: Observations,
	{ slots }: ServerReport,
): FindingWithStatus[] {
	const { minSlots } = expectations;
	if (minSlots === undefined || slots.total === null || slots.total >= minSlots) return [];
	return [
		advise('slotsTooFew', `/props says total_slots ${slots.total}`, {
			slots: slots.total,
			wanted: minSlots,
		}),
	];
}
