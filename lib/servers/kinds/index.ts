import { gpustack } from './gpustack';
import type { KnownRefusal } from './chat-abilities';
import type { ServerKind } from './kind';
import { litellm } from './litellm';
import { llamaRouter } from './llama-router';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { vllm } from './vllm';

/**
 * Every kind, in the order in which they are tested: a gateway before the servers behind it, a server before those it
 * imitates.
 */
const EVERY_KIND = {
	litellm,
	llamaRouter,
	llamaServer,
	gpustack,
	vllm,
	lmStudio,
	ollama,
	other,
} satisfies Record<string, ServerKind>;

/** The kind of server at a base URL. `other`: an OpenAI-compatible server that could not be identified. */
export type KindName = keyof typeof EVERY_KIND;

export const KINDS: Readonly<Record<KindName, ServerKind>> = EVERY_KIND;

const NAMES = Object.keys(KINDS) as KindName[];

export function kindOf(name: KindName): ServerKind {
	return KINDS[name];
}

/** The kind of servers that could not be identified. */
export const UNIDENTIFIED = 'other' satisfies KindName;

/** Whether the kind of a server is known. */
export function isIdentified(name: KindName): name is Exclude<KindName, 'other'> {
	return name !== 'other';
}

/** The kind for an item, which has none where nothing told it. */
export function identifiedKind(name: KindName): KindName | undefined {
	return isIdentified(name) ? name : undefined;
}

/** The server as the subject of a sentence: by its name if it is known. */
export function subjectOf(name: KindName): string {
	return isIdentified(name) ? KINDS[name].label : 'The server';
}

/** The names of the kinds that can do something, for sentences: "llama-swap, llama-server and Ollama". */
export function labelsOf(can: (kind: ServerKind) => unknown): string {
	const labels = Object.values(KINDS)
		.filter((kind) => kind.isTriedOnly !== true && Boolean(can(kind)))
		.map(({ label }) => label);
	return new Intl.ListFormat('en-GB').format(labels);
}

/** Every known refusal. A gateway may pass on that of any server behind it. */
export const KNOWN_REFUSALS: readonly KnownRefusal[] = [
	...new Set(Object.values(KINDS).flatMap(({ chat }) => chat.refusals)),
];

/** The kind of a server by the text of its refusal; undefined if that does not identify it. */
export function kindOfRefusal(serverText = ''): KindName | undefined {
	return NAMES.find((name) => KINDS[name].signs?.refusal?.test(serverText) === true);
}

const BY_FINGERPRINT = new Map<unknown, KindName>(
	NAMES.map((name) => [KINDS[name].signs?.fingerprint, name]),
);

/** The kind of server with this fingerprint. Called for each event of an answer. */
export function kindOfFingerprint(fingerprint: unknown): KindName | undefined {
	return fingerprint === undefined ? undefined : BY_FINGERPRINT.get(fingerprint);
}

/** The alias in an API's URL, and the server's label, if this alias is known to lack reranking. */
export function aliasWithoutRerank(api: string): { alias: string; label: string } | undefined {
	for (const { label, rerank } of Object.values(KINDS)) {
		const { aliasWithoutRoute: alias } = rerank;
		if (alias !== undefined && api.endsWith(alias)) return { alias, label };
	}
	return undefined;
}
