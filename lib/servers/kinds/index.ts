import { gpustack } from './gpustack';
import { infinity } from './infinity';
import type { Refusal, ServerKind } from './kind';
import { koboldcpp } from './koboldcpp';
import { lemonade } from './lemonade';
import { litellm } from './litellm';
import { llamaCppPython } from './llama-cpp-python';
import { llamaRouter } from './llama-router';
import { llamaServer } from './llama-server';
import { llamaSwap } from './llama-swap';
import { lmStudio } from './lm-studio';
import { localai } from './localai';
import { ollama } from './ollama';
import { other } from './other';
import { sglang } from './sglang';
import { tei } from './tei';
import { tgi } from './tgi';
import { transformersServe } from './transformers-serve';
import { vllm } from './vllm';
import { whisperCpp } from './whisper-cpp';
import { xinference } from './xinference';
import { speaches } from './speaches';
import { sdServer } from './sd-server';
import { kokoro } from './kokoro';

/**
 * Every kind, in the order in which they are tested: a gateway before the servers behind it, a server before those it
 * imitates.
 */
const EVERY_KIND = {
	llamaSwap,
	litellm,
	llamaRouter,
	llamaServer,
	koboldcpp,
	lemonade,
	gpustack,
	sglang,
	xinference,
	llamaCppPython,
	infinity,
	localai,
	vllm,
	tgi,
	tei,
	transformersServe,
	lmStudio,
	whisperCpp,
	sdServer,
	speaches,
	kokoro,
	ollama,
	other,
} satisfies Record<string, ServerKind>;

/** The kind of server at a base URL. `other`: an OpenAI-compatible server that could not be identified. */
export type KindName = keyof typeof EVERY_KIND;

export const KINDS: Readonly<Record<KindName, ServerKind>> = EVERY_KIND;

export function kindOf(kind: KindName): ServerKind {
	return KINDS[kind];
}

/** Every known refusal. A gateway may pass on that of any server behind it. */
export const REFUSALS: readonly Refusal[] = [
	...new Set(Object.values(KINDS).flatMap(({ refusals = [] }) => refusals)),
];

/** The kind of a server as told by the text of its refusal; undefined if that tells nothing. */
export function kindOfRefusal(serverText = ''): KindName | undefined {
	return kindWhere(({ refusalWords }) => refusalWords?.test(serverText) === true);
}

const BY_FINGERPRINT = new Map<unknown, KindName>(
	(Object.keys(KINDS) as KindName[]).map((kind) => [KINDS[kind].fingerprint, kind]),
);

/** The kind of server with this fingerprint. Called for each event of an answer. */
export function kindOfFingerprint(found: unknown): KindName | undefined {
	return found === undefined ? undefined : BY_FINGERPRINT.get(found);
}

/** The alias in an API's URL, and the server's label, if this alias is known to lack reranking. */
export function aliasWithoutRerank(api: string): { alias: string; label: string } | undefined {
	const kind = kindWhere(
		({ aliasWithoutRerank: alias }) => alias !== undefined && api.endsWith(alias),
	);
	return kind && { alias: KINDS[kind].aliasWithoutRerank!, label: KINDS[kind].label };
}

function kindWhere(fits: (traits: ServerKind) => boolean): KindName | undefined {
	return (Object.keys(KINDS) as KindName[]).find((kind) => fits(KINDS[kind]));
}
