/** Chooses the advice of an error: that of the first row of the table whose facts are all known, and that gives advice. */
import type { ServerError } from '../errors/server-error';
import { DIAGNOSES } from './diagnoses';
import type { Facts, FactSources } from './facts';
import { getErrorFacts } from './facts';
import type { Diagnosis } from './diagnosis';

/**
 * The error with what is known of its cause: another suggestion, or another type.
 *
 * @param sources - What the caller knows. Each fact is looked up only if a row needs it, and only once.
 * @returns the same error if no row applies
 */
export async function diagnose(
	error: ServerError,
	sources: FactSources,
	table: readonly Diagnosis[] = DIAGNOSES,
): Promise<ServerError> {
	// A fact may have to be requested, and Stop must not wait.
	if (error.type === 'aborted') return error;
	const facts = new KnownFacts({ ...getErrorFacts(error), ...sources });
	for (const { types, needs, advise } of table) {
		const known = types.includes(error.type) ? await facts.pick(needs) : undefined;
		const advice = known && advise(known);
		if (typeof advice === 'string') return error.withSuggestion(advice);
		if (advice !== undefined)
			return error.copyWith({ ...advice, facts: { ...error.facts, ...advice.facts } });
	}
	return error;
}

/** The facts that were looked up. */
class KnownFacts {
	private readonly known = new Map<keyof Facts, unknown>();

	constructor(private readonly sources: FactSources) {}

	/** Exactly these facts; undefined if one of them is not known. Those behind it are not looked up. */
	async pick(names: ReadonlyArray<keyof Facts>): Promise<Facts | undefined> {
		const entries: Array<[string, unknown]> = [];
		for (const name of names) {
			const fact = await this.find(name);
			if (fact === undefined) return undefined;
			entries.push([name, fact]);
		}
		return Object.fromEntries(entries) as unknown as Facts;
	}

	private async find(name: keyof Facts): Promise<unknown> {
		const { known, sources } = this;
		if (!known.has(name)) known.set(name, await sources[name]?.());
		return known.get(name);
	}
}
