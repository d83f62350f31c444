/** The further servers of a credential: the same models on more machines. */
import { isRecord, nonEmptyText, quietly, recordsIn } from '../values';
import { resolveBaseUrl } from './base-url';

/** An entry of `furtherServers`. */
export interface FurtherServer {
	baseUrl: string;
	/** Empty: the key of the credential. */
	apiKey: string;
	/** Empty: models have the same names as on the first server. */
	model: string;
}

/** The entries that are filled in, as n8n stores them. */
export function readFurtherServers(value: unknown): FurtherServer[] {
	const read = (field: unknown) => (typeof field === 'number' ? String(field) : (nonEmptyText(field) ?? '').trim());
	return recordsIn(isRecord(value) ? value.server : undefined)
		.map(({ baseUrl, apiKey, model }) => ({ baseUrl: read(baseUrl), apiKey: read(apiKey), model: read(model) }))
		.filter((server) => Object.values(server).some((field) => field !== ''));
}

/** Leaves out what was named before: asked twice, a server would count twice. */
export function withoutDuplicates<S extends { baseUrl: string }>(servers: readonly S[]): S[] {
	const seen = new Set<string>();
	return servers.filter(({ baseUrl }) => {
		const address = addressOf(baseUrl);
		// What is no address is said where it is used.
		if (address === undefined) return true;
		return seen.has(address) ? false : seen.add(address);
	});
}

/** Whether the key of the first server would go out in the clear, where it did not before. */
export function losesEncryption(first: string, further: string): boolean {
	return addressOf(first)?.startsWith('https:') === true && addressOf(further)?.startsWith('http:') === true;
}

function addressOf(baseUrl: string): string | undefined {
	return quietly(() => resolveBaseUrl(baseUrl).api);
}

/**
 * The names that models have on a server: one for every model (`qwen3:8b`), or pairs of the name that nodes ask for and
 * the name there (`qwen3-8b = qwen3:8b, bge-m3 = bge-m3:567m`); models without a pair have the same name.
 */
export function namesOfModels(typed: string): ((asked: string) => string) | undefined {
	if (typed === '') return undefined;
	if (!typed.includes('=')) return () => typed;
	const pairs = typed.split(/[,;\n]/).map((pair) => pair.split(/=(.*)/s).map((name) => name.trim()));
	const names = new Map(pairs.flatMap(([asked = '', there = '']) => (asked && there ? [[asked, there]] : [])));
	return (asked) => names.get(asked) ?? asked;
}
