import { canonicalJson } from '../json';
import { isRecord, type JsonRecord, literalPattern } from '../values';
import { linearTest } from './linear-pattern';

type Schema = JsonRecord;

/**
 * Keywords whose values are no schemas, though they may look like some; then those whose values map names to schemas.
 */
const VALUES: ReadonlySet<string> = new Set([
	'const',
	'default',
	'enum',
	'examples',
	'required',
	'dependentRequired',
]);
const NAMED: ReadonlySet<string> = new Set([
	'properties',
	'$defs',
	'definitions',
	'dependentSchemas',
	'dependencies',
]);
/** Most names that patterns are tried on, and most lists with duplicates. */
const MAX_ENTRIES = 1000;
const ANY_NAME = '^';
const CHARACTERS_PER_STEP = 100;
/** Characters and repetitions of all patterns that are compiled: so many take about 100 ms. */
const MAX_PATTERN_COST = 20_000;
const REPETITIONS = /\{(\d+)(?:,(\d*))?\}/g;

/**
 * Copies schemas so that the validator can check one value in bounded time, with the same result. By itself it runs
 * patterns in JavaScript's own engine, and compares all pairs of entries of a `uniqueItems` list.
 */
export class CheckableSchemas {
	/** The formats that replace patterns in the copies, by name. */
	readonly formats: Record<string, (text: string) => boolean> = {};
	/** What the copies leave out, and why. */
	readonly unchecked = new Set<string>();
	private readonly tests = new Map<string, ((text: string) => boolean) | undefined>();
	private patternCost = 0;
	private names: string[] | undefined;
	private repeating: unknown[] | undefined;

	/** @param step called with the cost of each piece of work before it is done, also by the copies; may throw */
	constructor(
		private readonly value: unknown,
		private readonly step: (cost: number) => void,
	) {}

	copyOf(schema: Schema): Schema {
		const { pattern, uniqueItems, patternProperties, $recursiveAnchor, ...rest } = schema;
		const copy = Object.fromEntries(
			Object.entries(rest).map(([key, inner]) => [key, this.inner(key, inner)]),
		);
		const more = [
			...(typeof pattern === 'string' ? this.pattern(pattern) : []),
			...(uniqueItems === true ? this.unique() : []),
		];
		if (more.length > 0) copy.allOf = [copy.allOf ?? [], more].flat();
		if (isRecord(patternProperties))
			copy.patternProperties = this.patternProperties(patternProperties);
		const cost = 1 + (Array.isArray(schema.enum) ? schema.enum.length : 0);
		// The validator reads this property each time it visits a schema.
		const get = () => {
			this.step(cost);
			return $recursiveAnchor;
		};
		return Object.defineProperty(copy, '$recursiveAnchor', { get, enumerable: false });
	}

	private inner(key: string, inner: unknown): unknown {
		const copied = (one: unknown) => (isRecord(one) ? this.copyOf(one) : one);
		if (VALUES.has(key)) return inner;
		if (Array.isArray(inner)) return inner.map(copied);
		if (!NAMED.has(key) || !isRecord(inner)) return copied(inner);
		return Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, copied(one)]));
	}

	private test(pattern: string): ((text: string) => boolean) | undefined {
		if (!this.tests.has(pattern)) this.tests.set(pattern, this.compiled(pattern));
		return this.tests.get(pattern);
	}

	private compiled(pattern: string): ((text: string) => boolean) | undefined {
		this.patternCost += costOf(pattern);
		if (this.patternCost > MAX_PATTERN_COST) {
			// Throws for an invalid one.
			new RegExp(pattern);
			this.unchecked.add('some patterns (there are very many, or very long ones)');
			return undefined;
		}
		const test = linearTest(pattern);
		if (test === undefined)
			this.unchecked.add(
				`${pattern} (look-around, references and long repetitions cannot be checked in bounded time)`,
			);
		return (
			test &&
			((text) => {
				this.step(1 + text.length / CHARACTERS_PER_STEP);
				return test(text);
			})
		);
	}

	private pattern(pattern: string): Schema[] {
		const test = this.test(pattern);
		if (test === undefined) return [];
		this.formats[`pattern ${pattern}`] = test;
		return [{ format: `pattern ${pattern}` }];
	}

	/**
	 * Replaces each pattern by the names that match it. Where one cannot be tried, any name passes: `additionalProperties`
	 * would refuse those that it allows.
	 */
	private patternProperties(schemas: Schema): Schema {
		this.names ??= [...new Set(recordsIn(this.value).flatMap((record) => Object.keys(record)))];
		const isTooMuch = this.names.length > MAX_ENTRIES;
		if (isTooMuch) this.unchecked.add(`patternProperties (more than ${MAX_ENTRIES} names)`);
		const names = isTooMuch ? [] : this.names;
		const byNames: Schema = {};
		for (const [index, [pattern, schema]] of Object.entries(schemas).entries()) {
			const test = this.test(pattern);
			const matching = names.filter((name) => test?.(name) === true).map(literalPattern);
			// The empty group makes two patterns that match the same names different keys.
			if (matching.length > 0) byNames[`^(?:){${index}}(?:${matching.join('|')})$`] = schema;
			if (isTooMuch || test === undefined) byNames[ANY_NAME] = {};
		}
		return this.inner('properties', byNames) as Schema;
	}

	private unique(): Schema[] {
		this.repeating ??= recordsIn(this.value, Array.isArray).filter((list) => {
			const entries = (list as unknown as unknown[]).map((entry) => canonicalJson(entry));
			this.step(entries.join().length / CHARACTERS_PER_STEP);
			return new Set(entries).size < entries.length;
		});
		if (this.repeating.length > MAX_ENTRIES)
			this.unchecked.add(`uniqueItems (more than ${MAX_ENTRIES} lists hold something twice)`);
		const isRepeating = { enum: this.repeating.length > MAX_ENTRIES ? [] : this.repeating };
		return [{ if: this.copyOf(isRepeating), then: { const: 'a list that holds nothing twice' } }];
	}
}

function costOf(pattern: string): number {
	let cost = pattern.length;
	for (const [, least, most] of pattern.matchAll(REPETITIONS))
		cost += Math.max(Number(least), Number(most ?? 0));
	return cost;
}

/** All objects inside a value, or all lists, also nested ones. */
function recordsIn(
	value: unknown,
	isCollected: (one: unknown) => boolean = isRecord,
	collected: object[] = [],
): object[] {
	if (typeof value !== 'object' || value === null) return collected;
	if (isCollected(value)) collected.push(value);
	for (const inner of Object.values(value)) recordsIn(inner, isCollected, collected);
	return collected;
}
