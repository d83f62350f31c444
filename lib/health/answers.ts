/** Reads the answers of probes, and tells from them which server it is. */
import { isRefusal } from '../errors/http-failure';
import { identify } from '../servers/identify';
import { isIdentified, type KindName, kindOf, UNIDENTIFIED } from '../servers/kinds';
import { bodyOf as bodyOfAnswer } from '../servers/kinds/evidence';
import type { ServerAnswer, ServerAnswers, IdentifyingRoute } from '../servers/kinds/answers';
import type { ServerKind } from '../servers/kinds/kind';
import { modelEntries, readModels, type ServerModel } from '../servers/models';
import { nonEmptyText, optional, recordOf, recordsIn } from '../values';
import type { HealthServerKind, Observations, Probe, ProbeName } from './observations';

type Probes = Observations['probes'];

const ROUTES: Record<IdentifyingRoute, ProbeName> = {
	models: 'models',
	apiVersion: 'ollamaVersion',
	tags: 'ollamaTags',
	version: 'version',
	health: 'health',
	props: 'props',
	info: 'info',
};

/**
 * Kind of the server, and its version where it names one. Dify is recognized by its headers (docs/protocols/dify.md
 * 1.1).
 */
export function serverOf(probes: Probes): { kind: HealthServerKind; version: string | null } {
	const answers = answersOf(probes);
	const kind = identify(answers);
	if (isIdentified(kind)) return { kind, version: kindOf(kind).version?.(answers) ?? null };
	const dify = Object.values(probes).find(isOfDify);
	if (dify !== undefined) return { kind: 'dify', version: dify.headers['x-version'] || null };
	if (pictureModelsIn(probes) !== undefined) return { kind: 'stableDiffusionWebUi', version: null };
	const { version } = bodyOf(probes.version);
	if (!isOpenAiCompatible(probes)) return { kind: 'unknown', version: null };
	return { kind: 'openAiCompatible', version: nonEmptyText(version) ?? null };
}

function isOfDify(probe: Probe): probe is Extract<Probe, { answered: true }> {
	if (!probe.answered) return false;
	return probe.headers['x-version'] !== undefined && probe.headers['x-env'] !== undefined;
}

/** It has a list of models, or refuses as FastAPI does. */
function isOpenAiCompatible({ models }: Probes): boolean {
	return listOf(models) !== undefined || 'detail' in recordOf(answerOf(models)?.json);
}

/** The server's kind. */
export function kindOfServer(kind: HealthServerKind): ServerKind {
	return kindOf(serverKindOf(kind));
}

function serverKindOf(kind: HealthServerKind): KindName {
	return isKnownKind(kind) ? kind : UNIDENTIFIED;
}

/** Kinds that only a check tells apart: the nodes use them like any other server. */
const OF_CHECKS: readonly HealthServerKind[] = [
	'openAiCompatible',
	'stableDiffusionWebUi',
	'dify',
	'unknown',
];

function isKnownKind(kind: HealthServerKind): kind is Exclude<KindName, 'other'> {
	return !OF_CHECKS.includes(kind);
}

export function answersOf(probes: Probes): ServerAnswers {
	const answers = Object.entries(ROUTES).map(([route, name]) => [route, answerOf(probes[name])]);
	return optional(Object.fromEntries(answers) as ServerAnswers);
}

function answerOf(probe: Probe | undefined): ServerAnswer | undefined {
	return probe?.answered === true ? probe : undefined;
}

/**
 * Path of the health route. Undefined where the kind of the server is unknown: LiteLLM's `/health` runs a generation on
 * every model.
 */
export function healthPathOf(probes: Probes): string | undefined {
	const kind = identify(answersOf(probes));
	if (!isIdentified(kind) && probes.models?.answered !== true) return undefined;
	return kindOf(kind).health.path ?? '/health';
}

/** The entries of `/v1/models`; undefined where the answer is no list. */
export function listOf(probe: Probe | undefined): Array<Record<string, unknown>> | undefined {
	const answer = answerOf(probe);
	return answer === undefined || isRefusal(answer) ? undefined : modelEntries(answer.json);
}

/** The models of `/v1/models`; empty where the answer is no list. */
export function modelsIn(probe: Probe | undefined): ServerModel[] {
	return listOf(probe) === undefined ? [] : (readModels(answerOf(probe)?.json) ?? []);
}

/** The models of the server: from its list, or from its other answers. */
export function modelsOfServer(probes: Probes): ServerModel[] {
	const { kind } = serverOf(probes);
	return (
		kindOfServer(kind).models.fromAnswers?.(answersOf(probes)) ??
		pictureModelsIn(probes) ??
		modelsIn(probes.models)
	);
}

/** The JSON of an answer below 300; undefined where there is none. */
export function jsonOf(probe: Probe | undefined): unknown {
	const answer = answerOf(probe);
	return answer !== undefined && answer.status < 300 ? answer.json : undefined;
}

/** The JSON object of an answer below 300; empty where there is none. */
export function bodyOf(probe: Probe | undefined): Record<string, unknown> {
	return bodyOfAnswer(answerOf(probe));
}

/**
 * The checkpoints of a Stable Diffusion WebUI (AUTOMATIC1111, modules/api), which has no list of models at `/v1`;
 * undefined where the answer is none of its own.
 */
function pictureModelsIn({ pictureModels }: Probes): ServerModel[] | undefined {
	const answer = answerOf(pictureModels);
	if (answer === undefined || isRefusal(answer) || !Array.isArray(answer.json)) return undefined;
	return recordsIn(answer.json).flatMap(({ model_name: id, title }) => {
		if (typeof id !== 'string') return [];
		return { id, aliases: typeof title === 'string' ? [title] : [], embeddings: false };
	});
}
