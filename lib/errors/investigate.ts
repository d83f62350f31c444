/** Looks up the facts of a failure, at the end of an exchange, a task or a run. It may send requests, and Stop ends it. */
import type { Row } from './chapters/row';
import type { Facts, KnownFacts } from './facts';
import { getKnownFacts } from './failure';
import type { ServerError } from './server-error';
import { TABLE } from './table';
import { tellRow } from './tell';

/** How each fact is looked up when a row needs it. Missing ones are not known. */
export type FactSources = {
	readonly [Name in keyof Facts]?: () => FactResult<Facts[Name]>;
};

type FactResult<Fact> = Fact | undefined | Promise<Fact | undefined>;

/**
 * The error with the facts of the first row that tells of it, and with the type that these show.
 *
 * @param sources - What the caller knows. Each fact is looked up only if a row needs it, and only once.
 * @returns the same error if no row applies
 */
export async function investigate(
	error: ServerError,
	sources: FactSources,
	table: readonly Row[] = TABLE,
): Promise<ServerError> {
	// A fact may have to be requested, and Stop must not wait.
	if (error.type === 'aborted') return error;
	const facts = new LookedUpFacts(getKnownFacts(error), sources);
	for (const row of table) {
		if (!row.types.includes(error.type)) continue;
		const known = await facts.pick(row.needs);
		const words = known && tellRow(row, error, known);
		if (words === undefined) continue;
		const output = row.getOutput?.(known as Facts);
		return error.withCause({ known: { ...error.known, ...known }, type: row.becomes, output });
	}
	return error;
}

/** The facts that were looked up. */
class LookedUpFacts {
	private readonly found = new Map<keyof Facts, unknown>();

	constructor(
		private readonly known: KnownFacts,
		private readonly sources: FactSources,
	) {}

	/** Exactly these facts; undefined if one of them is not known. Those behind it are not looked up. */
	async pick(names: ReadonlyArray<keyof Facts>): Promise<KnownFacts | undefined> {
		const entries: Array<[string, unknown]> = [];
		for (const name of names) {
			const fact = await this.find(name);
			if (fact === undefined) return undefined;
			entries.push([name, fact]);
		}
		return Object.fromEntries(entries);
	}

	private async find(name: keyof Facts): Promise<unknown> {
		const { found, known, sources } = this;
		const look = sources[name] ?? (() => known[name]);
		if (!found.has(name)) found.set(name, await look());
		return found.get(name);
	}
}
