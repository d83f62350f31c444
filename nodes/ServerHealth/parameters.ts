import type { IExecuteFunctions } from 'n8n-workflow';

import type { Expectations } from '../../lib/health/observations';
import type { CheckOptions } from '../../lib/health/probes';
import { failure } from '../../lib/errors/failure';
import { isRecord } from '../../lib/values';
import { switchOf } from '../../lib/switch';

/** Reads the node's parameters of one item, which may come out of expressions with any type. */
export class Parameters {
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** A field inside a collection; undefined where it was not added. */
	private option(collection: string, name: string): unknown {
		const values: unknown = this.context.getNodeParameter(collection, this.itemIndex, {});
		return isRecord(values) && values[name] !== '' && values[name] !== null ? values[name] : undefined;
	}

	get signal(): AbortSignal | undefined {
		return this.context.getExecutionCancelSignal();
	}

	get model(): string {
		return nameOf('model', this.context.getNodeParameter('model', this.itemIndex, '', { extractValue: true }));
	}

	flag(collection: string, name: string, fallback: boolean): boolean {
		const value = this.option(collection, name);
		return value === undefined ? fallback : switchOf(value) === true;
	}

	/** @throws {ServerError} of kind `invalidInput` naming the field */
	number(name: string, fallback: number, least: number, most: number): number {
		return numberOf(name, this.context.getNodeParameter(name, this.itemIndex, fallback), fallback, least, most);
	}

	optionalNumber(collection: string, name: string, least: number): number | undefined {
		const value = this.option(collection, name);
		return value === undefined ? undefined : numberOf(name, value, 0, least);
	}

	/** Seconds in the node, milliseconds in the library. */
	milliseconds(collection: string, name: string, fallbackSeconds: number): number {
		return Math.round((this.optionalNumber(collection, name, 0.1) ?? fallbackSeconds) * 1000);
	}

	check(): CheckOptions {
		const timeLimit = this.optionalNumber('options', 'timeLimit', 0.1);
		return {
			expectations: this.expectations(),
			readSlots: this.flag('options', 'readSlots', false),
			...(timeLimit === undefined ? {} : { timeLimitMs: timeLimit * 1000 }),
			signal: this.signal,
		};
	}

	private expectations(): Expectations {
		const model = nameOf('model', this.option('needed', 'model'));
		return {
			...(model === '' ? {} : { model }),
			vision: this.flag('needed', 'vision', false),
			tools: this.flag('needed', 'tools', false),
			embeddings: this.flag('needed', 'embeddings', false),
			rerank: this.flag('needed', 'rerank', false),
			minContext: this.optionalNumber('needed', 'minContext', 0),
			minSlots: this.optionalNumber('needed', 'minSlots', 0),
		};
	}
}

/** The fields limit what is typed, but not what comes out of an expression: a million requests at once would end n8n, not the server. */
function numberOf(name: string, value: unknown, fallback: number, least: number, most = Infinity): number {
	const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
	const number = value === undefined || value === null || value === '' ? fallback : isNumeric ? Number(value) : NaN;
	if (Number.isFinite(number) && number >= least && number <= most) return number;
	throw wrong(name, most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`, value);
}

/** A name of digits comes out of an expression as a number. */
function nameOf(field: string, value: unknown): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string' || typeof value === 'number') return String(value).trim();
	throw wrong(field, 'a name', value);
}

function wrong(field: string, wanted: string, value: unknown) {
	return failure(
		'invalidInput',
		{},
		{
			message: `The field "${field}" must be ${wanted}, but is ${shown(value)}`,
			remedy: 'Correct the field in the node.',
		},
	);
}

function shown(value: unknown): string {
	const text = JSON.stringify(value) ?? String(value);
	return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
