/**
 * Checks a value against a JSON schema of the drafts 4 to 2020-12. Written here, because the libraries that need no code
 * generation (which the lint of community nodes and many content security policies forbid) check the complete value, and
 * quote the complete `enum` or `const` in each error: a list of 2,000 names and 9,000 wrong values became 1.4 GB. This one
 * ends after a few issues, counts its steps, and cuts each issue.
 *
 * Patterns are not checked, since a pattern may take exponential time, nor is `$dynamicRef`.
 */
import { isRecord } from '../../values/records';
import { truncate } from '../../values/text';
import type { JsonRecord } from '../../values/records';
import { format } from '../../vendor';
import { getOwn } from '../../values/own-properties';

/** Drafts whose keywords differ. */
export type SchemaDraft = '4' | '7' | '2019-09' | '2020-12';

/** A schema with its references. */
export interface ResolvedSchema {
	schema: unknown;
	draft: SchemaDraft;
	/** Each schema in it, by its URI, with its own URI of references in `__absolute_ref__`. */
	lookup: Readonly<Record<string, unknown>>;
}

/** What the check found before it ended. */
export interface SchemaCheck {
	/** Sentences, each with the path of its value. */
	issues: string[];
	/** Whether the check ended at the limit of steps: what was not reached is unknown. */
	isIncomplete: boolean;
}

/** More issues help neither the user nor the model that corrects its response. */
const MAX_ISSUES = 5;

/** Schemas that are compared with a value. They take about 50 ms, during which n8n is blocked. */
export const MAX_STEPS = 10_000;

/** Comparisons that take about as long as one schema. */
const COMPARISONS_PER_STEP = 100;

/** Comparisons that take about as long as looking for an item in a list, or as sorting a name among others. */
const SEARCH_COMPARISONS = 15;

/** Characters that are counted, or made comparable, in about the time of a comparison. */
const CHARACTERS_PER_COMPARISON = 10;

/** Characters of a name, a value or a path that an issue quotes. */
const MAX_QUOTED = 100;

/** Characters of the list of choices in an issue. */
const MAX_CHOICES = 500;

/** Longer texts have none of the formats, except an address, whose length is not limited. */
const MAX_FORMAT_LENGTH = 100_000;

/**
 * Checks a value.
 *
 * @param resolved a schema without keywords of unbounded run time
 * @throws RangeError if the schema is recursive without end
 */
export function checkSchema(resolved: ResolvedSchema, value: unknown): SchemaCheck {
	const issueList = new IssueList(MAX_ISSUES);
	try {
		new SchemaVisitor(resolved).visit(resolved.schema, {
			value,
			path: '',
			issueList,
			evaluated: new Set(),
		});
	} catch (error) {
		if (error instanceof StepLimitError) return { issues: issueList.issues, isIncomplete: true };
		if (!(error instanceof EnoughIssues)) throw error as Error;
	}
	return { issues: issueList.issues, isIncomplete: false };
}

class StepLimitError extends Error {}

/** Ends a check whose result is known. */
class EnoughIssues extends Error {}

/** Thrown for each alternative that does not match, so its stack is taken once. */
const ENOUGH_ISSUES = new EnoughIssues();

/** Where the issues of a value go. */
interface IssueReceiver {
	/**
	 * @param describe builds the sentence, if it is needed
	 * @throws EnoughIssues if the check can end
	 */
	add(describe: () => string): void;
}

/** For a check that only asks whether there is an issue. */
const FIRST_ISSUE: IssueReceiver = {
	add() {
		throw ENOUGH_ISSUES;
	},
};

/** Collects issues until there are enough. */
class IssueList implements IssueReceiver {
	readonly issues: string[] = [];

	constructor(private readonly max: number) {}

	add(describe: () => string): void {
		const issue = describe();
		if (this.issues.includes(issue)) return;
		this.issues.push(issue);
		if (this.issues.length >= this.max) throw ENOUGH_ISSUES;
	}
}

/** A value on its way through the schemas that apply to it. */
interface Target {
	value: unknown;
	/** As in JavaScript; empty for the complete value. */
	path: string;
	/** Where its issues go. */
	issueList: IssueReceiver;
	/** Names and indexes that a schema has evaluated, for `unevaluatedProperties` and `unevaluatedItems`. */
	evaluated: Set<string | number>;
	/** The schema that `$recursiveRef` refers to (2019-09). */
	anchor?: JsonRecord;
}

/** A keyword of a schema, and the value that is compared with it. */
interface Keyword {
	/** Visits further schemas, and takes the issues. */
	visitor: SchemaVisitor;
	target: Target;
	/** What the keyword has in its schema. */
	expected: unknown;
	/** The schema that the keyword is in. */
	schema: JsonRecord;
}

/** Checks one keyword. */
type Check = (keyword: Keyword) => void;

/** A keyword that is checked where a schema has it. */
interface KeywordCheck {
	/** Its name in the schema. */
	name: string;
	check: Check;
}

type ValueType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

class SchemaVisitor {
	private steps = 0;
	/** The choices of an `enum`, so that a choice is found without a comparison with each. Lists and objects are texts. */
	private readonly choices = new Map<readonly unknown[], ReadonlySet<unknown>>();
	/** The names of objects: many keywords ask for those of the same one. */
	private readonly names = new WeakMap<object, readonly string[]>();
	/** Lists and objects as texts in which equal values are equal. */
	private readonly comparables = new WeakMap<object, string>();

	constructor(private readonly resolved: ResolvedSchema) {}

	get draft(): SchemaDraft {
		return this.resolved.draft;
	}

	visit(schema: unknown, target: Target): void {
		this.step();
		if (schema === false) this.addIssue(target, () => 'is not allowed');
		if (!isRecord(schema)) return;
		const own = schema.$recursiveAnchor === true && !target.anchor ? schema : target.anchor;
		const anchored = own === target.anchor ? target : { ...target, anchor: own };
		if (this.followReferences(schema, anchored)) return;
		this.runChecks(GENERAL_CHECKS, schema, anchored);
		const type = getType(target.value);
		const checks = TYPE_CHECKS[type];
		if (checks !== undefined) this.runChecks(checks, schema, anchored);
	}

	/** Whether a value matches, without its issues. What it evaluates is added if it does. */
	matches(schema: unknown, target: Target): boolean {
		const evaluated = new Set<string | number>();
		try {
			this.visit(schema, { ...target, issueList: FIRST_ISSUE, evaluated });
		} catch (error) {
			if (error instanceof EnoughIssues) return false;
			throw error as Error;
		}
		this.addEvaluated(target, evaluated);
		return true;
	}

	/** Visits a schema for the same value, and adds its issues. */
	apply(schema: unknown, target: Target): void {
		const evaluated = new Set<string | number>();
		this.visit(schema, { ...target, evaluated });
		this.addEvaluated(target, evaluated);
	}

	/** Visits a schema for a part of the value. */
	descend(schema: unknown, target: Target, key: string | number): void {
		const value = getOwn(target.value as Record<string | number, unknown>, key);
		const name = truncate(String(key), MAX_QUOTED);
		const path = target.path === '' ? name : `${target.path}.${name}`;
		target.evaluated.add(key);
		this.visit(schema, { ...target, value, path, evaluated: new Set() });
	}

	/** @param describe builds what is wrong, if it is needed */
	addIssue({ path, issueList }: Target, describe: () => string): void {
		issueList.add(() => `${path === '' ? 'The response' : shortenPath(path)}: ${describe()}`);
	}

	/** @throws StepLimitError */
	step(comparisons = COMPARISONS_PER_STEP): void {
		this.steps += comparisons / COMPARISONS_PER_STEP;
		if (this.steps > MAX_STEPS) throw new StepLimitError();
	}

	/** The names in an object. */
	getNames(value: object): readonly string[] {
		const known = this.names.get(value);
		if (known !== undefined) return known;
		const names = Object.keys(value);
		this.step(names.length);
		this.names.set(value, names);
		return names;
	}

	/** Whether a list of choices contains a value. */
	isChoice(list: readonly unknown[], value: unknown): boolean {
		let keys = this.choices.get(list);
		if (keys === undefined) {
			keys = new Set(list.map((choice) => this.toKey(choice)));
			this.choices.set(list, keys);
		}
		return keys.has(this.toKey(value));
	}

	/** The first items of a list that are equal, in their order. */
	findEqualItems(list: readonly unknown[]): { first: number; second: number } | undefined {
		const indexes = new Map<unknown, number>();
		for (const [second, item] of list.entries()) {
			// A text is built and kept for each of them.
			this.step(SEARCH_COMPARISONS);
			const key = this.toKey(item);
			const first = indexes.get(key);
			if (first !== undefined) return { first, second };
			indexes.set(key, second);
		}
		return undefined;
	}

	/** Whether a value equals that of a `const`. */
	isConstant({ value }: Target, constant: unknown): boolean {
		return getType(value) === getType(constant) && this.toKey(value) === this.toKey(constant);
	}

	/** What is the same for equal values only. */
	private toKey(value: unknown): unknown {
		if (typeof value === 'object' && value !== null) return this.toComparable(value);
		if (typeof value !== 'string') {
			this.step(1);
			// -0 equals 0.
			return value === 0 ? 0 : value;
		}
		this.step(1 + value.length / COMPARISONS_PER_STEP);
		// Unlike the text of any list or object.
		return `"${value}`;
	}

	/** JSON in which equal values are equal texts. */
	private toComparable(value: unknown): string {
		if (typeof value !== 'object' || value === null) {
			this.step(typeof value === 'string' ? 1 + value.length / CHARACTERS_PER_COMPARISON : 1);
			return JSON.stringify(value === 0 ? 0 : value) ?? '';
		}
		this.step(1);
		const known = this.comparables.get(value);
		if (known !== undefined) return known;
		const text = Array.isArray(value)
			? `[${value.map((entry) => this.toComparable(entry)).join()}]`
			: `{${this.toComparableEntries(value as JsonRecord)}}`;
		this.comparables.set(value, text);
		return text;
	}

	private toComparableEntries(value: JsonRecord): string {
		const names = this.getNames(value);
		this.step(SEARCH_COMPARISONS * names.length);
		return names
			.toSorted()
			.map((name) => `${JSON.stringify(name)}:${this.toComparable(getOwn(value, name))}`)
			.join();
	}

	private addEvaluated(target: Target, evaluated: ReadonlySet<string | number>): void {
		this.step(evaluated.size);
		for (const key of evaluated) target.evaluated.add(key);
	}

	/** @returns whether the keywords beside the reference are ignored, as in the old drafts */
	private followReferences(schema: JsonRecord, target: Target): boolean {
		const { lookup } = this.resolved;
		if (schema.$recursiveRef === '#')
			this.apply(
				target.anchor ?? getOwn(lookup, String(schema.__absolute_recursive_ref__)),
				target,
			);
		if (schema.$ref === undefined) return false;
		this.apply(getOwn(lookup, String(schema.__absolute_ref__ ?? schema.$ref)), target);
		return this.draft === '4' || this.draft === '7';
	}

	private runChecks(checks: readonly KeywordCheck[], schema: JsonRecord, target: Target): void {
		for (const { name, check } of checks) {
			const expected = getOwn(schema, name);
			if (expected !== undefined && Object.hasOwn(schema, name))
				check({ visitor: this, target, expected, schema });
		}
	}
}

function getType(value: unknown): ValueType {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'array';
	return typeof value as ValueType;
}

function shortenPath(path: string): string {
	return path.length <= 2 * MAX_QUOTED ? path : `…${path.slice(-2 * MAX_QUOTED)}`;
}

/** Beginnings of lists and objects as JSON: many issues may quote the same value. */
const quotes = new WeakMap<object, string>();

function quote(value: unknown): string {
	if (typeof value === 'string')
		return truncate(JSON.stringify(value.slice(0, 2 * MAX_QUOTED)), MAX_QUOTED);
	if (typeof value !== 'object' || value === null) return truncate(String(value), MAX_QUOTED);
	const known = quotes.get(value);
	if (known !== undefined) return known;
	const quoted = truncate(JSON.stringify(value), MAX_QUOTED);
	quotes.set(value, quoted);
	return quoted;
}

/** As many choices as fit into an issue. */
function quoteChoices(choices: readonly unknown[]): string {
	const quoted: string[] = [];
	let length = 0;
	for (const choice of choices) {
		const text = quote(choice);
		length += text.length;
		if (length > MAX_CHOICES) break;
		quoted.push(text);
	}
	const rest = choices.length - quoted.length;
	return `${quoted.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function hasType({ value }: Target, type: unknown): boolean {
	return type === 'integer' ? Number.isInteger(value) : getType(value) === type;
}

function asList(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

/** The schema of anchors within a combination: only those of a schema that is an anchor itself. */
function withinCombination(target: Target, schema: JsonRecord): Target {
	return schema.$recursiveAnchor === true ? target : { ...target, anchor: undefined };
}

/** `properties` with a value, in the order of the schema. */
function checkProperties({ visitor, target, expected }: Keyword): void {
	for (const [name, schema] of Object.entries(isRecord(expected) ? expected : {})) {
		visitor.step(1);
		if (Object.hasOwn(target.value as JsonRecord, name)) visitor.descend(schema, target, name);
	}
}

function checkAdditionalProperties(keyword: Keyword): void {
	const { properties = {} } = keyword.schema;
	const isDeclared = (name: string) => isRecord(properties) && Object.hasOwn(properties, name);
	checkOtherProperties(keyword, isDeclared);
}

/** Checks the properties that are not known against the schema of the keyword. */
function checkOtherProperties(
	{ visitor, target, expected }: Keyword,
	isKnown: (name: string) => boolean,
): void {
	for (const name of visitor.getNames(target.value as JsonRecord)) {
		visitor.step(1);
		if (isKnown(name)) continue;
		if (expected === false)
			visitor.addIssue(target, () => `has an unknown property ${quote(name)}`);
		else visitor.descend(expected, target, name);
	}
}

/** `dependencies` of the old drafts are names or a schema. */
function checkDependencies(keyword: Keyword): void {
	const { visitor, target, expected } = keyword;
	for (const [name, dependency] of Object.entries(isRecord(expected) ? expected : {})) {
		visitor.step(1);
		if (!Object.hasOwn(target.value as JsonRecord, name)) continue;
		if (Array.isArray(dependency)) checkRequired({ ...keyword, expected: dependency });
		else visitor.apply(dependency, target);
	}
}

function checkRequired({ visitor, target, expected }: Keyword): void {
	for (const name of asList(expected)) {
		visitor.step(1);
		if (!Object.hasOwn(target.value as JsonRecord, String(name)))
			visitor.addIssue(target, () => `lacks the property ${quote(name)}`);
	}
}

function checkPropertyNames({ visitor, target, expected }: Keyword): void {
	for (const name of visitor.getNames(target.value as JsonRecord))
		if (!visitor.matches(expected, { ...target, value: name, evaluated: new Set() }))
			visitor.addIssue(target, () => `has a property with an invalid name: ${quote(name)}`);
}

/** Checks the items from `start` on against the schema of the keyword. */
function checkItemsFrom({ visitor, target, expected }: Keyword, start: number): void {
	const { length } = target.value as unknown[];
	for (let index = start; index < length; index++) visitor.descend(expected, target, index);
}

/** `prefixItems`, or a list in `items`: one schema for each of the first items. */
function checkFirstItems({ visitor, target, expected }: Keyword): void {
	const schemas = asList(expected);
	const { length } = target.value as unknown[];
	for (let index = 0; index < Math.min(schemas.length, length); index++)
		visitor.descend(schemas[index], target, index);
}

function checkItems(keyword: Keyword): void {
	const { expected, schema } = keyword;
	const { prefixItems, additionalItems } = schema;
	if (!Array.isArray(expected)) {
		checkItemsFrom(keyword, asList(prefixItems).length);
		return;
	}
	checkFirstItems(keyword);
	if (additionalItems !== undefined)
		checkItemsFrom({ ...keyword, expected: additionalItems }, expected.length);
}

function checkContains({ visitor, target, expected, schema }: Keyword): void {
	const { minContains = 1, maxContains = Infinity } = schema;
	let count = 0;
	for (const [index, value] of (target.value as unknown[]).entries())
		if (visitor.matches(expected, { ...target, value, evaluated: new Set() })) {
			target.evaluated.add(index);
			count++;
		}
	if (count < Number(minContains))
		visitor.addIssue(
			target,
			() => `has ${count} items that match "contains" instead of ${quote(minContains)}`,
		);
	if (count > Number(maxContains))
		visitor.addIssue(
			target,
			() => `has ${count} items that match "contains", more than ${quote(maxContains)}`,
		);
}

function checkUniqueItems({ visitor, target, expected }: Keyword): void {
	const equal = expected === true ? visitor.findEqualItems(target.value as unknown[]) : undefined;
	if (equal !== undefined)
		visitor.addIssue(target, () => `has equal items (${equal.first} and ${equal.second})`);
}

function checkUnevaluatedItems({ visitor, target, expected }: Keyword): void {
	const { length } = target.value as unknown[];
	for (let index = 0; index < length; index++) {
		visitor.step(1);
		if (!target.evaluated.has(index)) visitor.descend(expected, target, index);
	}
}

function checkAnyOf({ visitor, target, expected, schema }: Keyword): void {
	const within = withinCombination(target, schema);
	const branches = asList(expected);
	// All of them, because each branch that matches evaluates names.
	const { length } = branches.filter((branch) => visitor.matches(branch, within));
	if (length > 0) return;
	visitor.addIssue(target, () => 'matches none of the alternatives (anyOf)');
	for (const branch of branches) visitor.apply(branch, within);
}

function checkOneOf({ visitor, target, expected, schema }: Keyword): void {
	const within = withinCombination(target, schema);
	const branches = asList(expected);
	const { length } = branches.filter((branch) => visitor.matches(branch, within));
	if (length === 1) return;
	visitor.addIssue(
		target,
		() => `matches ${length} of the alternatives (oneOf) instead of exactly one`,
	);
	if (length === 0) for (const branch of branches) visitor.apply(branch, within);
}

function checkCondition({ visitor, target, expected, schema }: Keyword): void {
	const { then: consequence = true, else: alternative = true } = schema;
	visitor.apply(visitor.matches(expected, target) ? consequence : alternative, target);
}

function checkType({ visitor, target, expected }: Keyword): void {
	const types = [expected].flat();
	visitor.step(types.length);
	if (types.some((type) => hasType(target, type))) return;
	const actual = getType(target.value);
	visitor.addIssue(
		target,
		() => `is of type ${actual} instead of ${truncate(types.join(' or '), MAX_QUOTED)}`,
	);
}

function checkEnum({ visitor, target, expected }: Keyword): void {
	const choices = asList(expected);
	if (!visitor.isChoice(choices, target.value))
		visitor.addIssue(target, () => `${quote(target.value)} is none of ${quoteChoices(choices)}`);
}

function checkConst({ visitor, target, expected }: Keyword): void {
	if (!visitor.isConstant(target, expected))
		visitor.addIssue(target, () => `${quote(target.value)} is not ${quote(expected)}`);
}

/** How an actual number is compared with a limit, and the phrase for a number that is not within it. */
interface Comparison {
	isWithin(actual: number, limit: number): boolean;
	phrase: string;
}

const MINIMUM: Comparison = { isWithin: (actual, limit) => actual >= limit, phrase: 'at least' };
const MAXIMUM: Comparison = { isWithin: (actual, limit) => actual <= limit, phrase: 'at most' };
const ABOVE: Comparison = { isWithin: (actual, limit) => actual > limit, phrase: 'more than' };
const BELOW: Comparison = { isWithin: (actual, limit) => actual < limit, phrase: 'less than' };

/**
 * A check of a count or of the number itself.
 *
 * @param unit what is counted
 */
function compare(
	{ isWithin, phrase }: Comparison,
	getAmount: (value: unknown, visitor: SchemaVisitor) => number,
	unit = '',
): Check {
	const verb = unit === '' ? 'is' : 'has';
	return ({ visitor, target, expected }) => {
		if (typeof expected !== 'number') return;
		const actual = getAmount(target.value, visitor);
		if (!isWithin(actual, expected))
			visitor.addIssue(target, () => `${verb} ${actual}${unit} instead of ${phrase} ${expected}`);
	};
}

const getNumber = (value: unknown) => value as number;
const getItemCount = (value: unknown) => (value as unknown[]).length;

function getPropertyCount(value: unknown, visitor: SchemaVisitor): number {
	return visitor.getNames(value as object).length;
}

/** Characters of a text, where an emoji is one. */
function countCharacters(value: unknown, visitor: SchemaVisitor): number {
	const text = value as string;
	visitor.step(text.length / CHARACTERS_PER_COMPARISON);
	let count = text.length;
	for (let index = 1; index < text.length; index++) {
		const code = text.charCodeAt(index);
		const before = text.charCodeAt(index - 1);
		if (code >= 0xdc00 && code <= 0xdfff && before >= 0xd800 && before <= 0xdbff) count--;
	}
	return count;
}

/** The comparisons of a limit. */
interface NumberLimit {
	inclusive: Comparison;
	exclusive: Comparison;
	/** Keyword that makes it exclusive: draft 4 has `exclusiveMinimum: true` beside `minimum`. */
	exclusiveName: string;
}

function limitNumber({ inclusive, exclusive, exclusiveName }: NumberLimit): Check {
	const checkWithin = compare(inclusive, getNumber);
	const checkStrictlyWithin = compare(exclusive, getNumber);
	return (keyword) => {
		const { visitor, schema } = keyword;
		const isStrict = visitor.draft === '4' && getOwn(schema, exclusiveName) === true;
		const check = isStrict ? checkStrictlyWithin : checkWithin;
		check(keyword);
	};
}

/** An exact number: 0.25 is 25 and -2. */
interface Decimal {
	coefficient: bigint;
	/** Power of ten. */
	exponent: number;
}

/** The absolute value of a number, exactly. */
function toDecimal(value: number): Decimal {
	const [digits = '', exponent = '0'] = Math.abs(value).toString().split('e');
	const [, fraction = ''] = digits.split('.');
	return {
		coefficient: BigInt(digits.replace('.', '')),
		exponent: Number(exponent) - fraction.length,
	};
}

/** Exact: 0.3 is a multiple of 0.1. */
function isMultiple({ value, divisor }: { value: number; divisor: number }): boolean {
	if (!Number.isFinite(value) || !Number.isFinite(divisor) || divisor <= 0) return false;
	const decimal = toDecimal(value);
	const decimalDivisor = toDecimal(divisor);
	const difference = decimal.exponent - decimalDivisor.exponent;
	const scale = 10n ** BigInt(Math.abs(difference));
	return difference >= 0
		? (decimal.coefficient * scale) % decimalDivisor.coefficient === 0n
		: decimal.coefficient % (decimalDivisor.coefficient * scale) === 0n;
}

function checkMultipleOf({ visitor, target, expected }: Keyword): void {
	if (!isMultiple({ value: target.value as number, divisor: Number(expected) }))
		visitor.addIssue(
			target,
			() => `${quote(target.value)} is not a multiple of ${quote(expected)}`,
		);
}

const formats = format as Readonly<Record<string, (text: string) => boolean>>;

/** Models often write times without a time zone. */
const WITHOUT_TIME_ZONE = new Set(['time', 'date-time']);

function checkFormat({ visitor, target, expected }: Keyword): void {
	const name = String(expected);
	if (!Object.hasOwn(formats, name)) return;
	const text = target.value as string;
	visitor.step(text.length / CHARACTERS_PER_COMPARISON);
	const isValid = (candidate: string) =>
		candidate.length <= MAX_FORMAT_LENGTH && getOwn(formats, name)!(candidate);
	if (isValid(text) || (WITHOUT_TIME_ZONE.has(name) && isValid(`${text}Z`))) return;
	visitor.addIssue(target, () => `${quote(text)} does not have the format ${quote(name)}`);
}

/** In the order of the drafts: what evaluates names comes before `unevaluated…`. */
const GENERAL_CHECKS: readonly KeywordCheck[] = [
	{ name: 'type', check: checkType },
	{ name: 'const', check: checkConst },
	{ name: 'enum', check: checkEnum },
	{
		name: 'not',
		check: ({ visitor, target, expected }) => {
			if (visitor.matches(expected, { ...target, evaluated: new Set() }))
				visitor.addIssue(target, () => 'matches the schema in "not"');
		},
	},
	{ name: 'anyOf', check: checkAnyOf },
	{
		name: 'allOf',
		check: ({ visitor, target, expected, schema }) => {
			const within = withinCombination(target, schema);
			for (const part of asList(expected)) visitor.apply(part, within);
		},
	},
	{ name: 'oneOf', check: checkOneOf },
	{ name: 'if', check: checkCondition },
];

const TYPE_CHECKS: Partial<Record<ValueType, readonly KeywordCheck[]>> = {
	object: [
		{ name: 'required', check: checkRequired },
		{ name: 'minProperties', check: compare(MINIMUM, getPropertyCount, ' properties') },
		{ name: 'maxProperties', check: compare(MAXIMUM, getPropertyCount, ' properties') },
		{ name: 'propertyNames', check: checkPropertyNames },
		{ name: 'dependentRequired', check: checkDependencies },
		{ name: 'dependentSchemas', check: checkDependencies },
		{ name: 'dependencies', check: checkDependencies },
		{ name: 'properties', check: checkProperties },
		{ name: 'additionalProperties', check: checkAdditionalProperties },
		{
			name: 'unevaluatedProperties',
			check: (keyword) =>
				checkOtherProperties(keyword, (name) => keyword.target.evaluated.has(name)),
		},
	],
	array: [
		{ name: 'minItems', check: compare(MINIMUM, getItemCount, ' items') },
		{ name: 'maxItems', check: compare(MAXIMUM, getItemCount, ' items') },
		{ name: 'uniqueItems', check: checkUniqueItems },
		{ name: 'prefixItems', check: checkFirstItems },
		{ name: 'items', check: checkItems },
		{ name: 'contains', check: checkContains },
		{ name: 'unevaluatedItems', check: checkUnevaluatedItems },
	],
	number: [
		{
			name: 'minimum',
			check: limitNumber({
				inclusive: MINIMUM,
				exclusive: ABOVE,
				exclusiveName: 'exclusiveMinimum',
			}),
		},
		{
			name: 'maximum',
			check: limitNumber({
				inclusive: MAXIMUM,
				exclusive: BELOW,
				exclusiveName: 'exclusiveMaximum',
			}),
		},
		{ name: 'exclusiveMinimum', check: compare(ABOVE, getNumber) },
		{ name: 'exclusiveMaximum', check: compare(BELOW, getNumber) },
		{ name: 'multipleOf', check: checkMultipleOf },
	],
	string: [
		{ name: 'minLength', check: compare(MINIMUM, countCharacters, ' characters') },
		{ name: 'maxLength', check: compare(MAXIMUM, countCharacters, ' characters') },
		{ name: 'format', check: checkFormat },
	],
};
