import type { IExecuteFunctions } from 'n8n-workflow';

import { refusedHere, type DifyError } from '../../../lib/dify/failure';
import { userOf } from '../../../lib/dify/ids';
import type { Most } from '../../../lib/dify/paging';
import { isFields } from '../../../lib/dify/read';
import { switchOf } from '../../../lib/switch';

/** Reads the node's parameters of one item, which may come out of expressions with any type. */
export class Parameters {
	constructor(
		private readonly context: IExecuteFunctions,
		readonly itemIndex: number,
	) {}

	raw(name: string, fallback: unknown = undefined): unknown {
		return this.context.getNodeParameter(name, this.itemIndex, fallback as never) as unknown;
	}

	/** The value inside a resource locator. */
	located(name: string): unknown {
		return this.context.getNodeParameter(name, this.itemIndex, '', { extractValue: true }) as unknown;
	}

	/** A text as it is; numbers and objects become text. */
	text(name: string): string {
		const value = this.raw(name, '');
		if (value === undefined || value === null) return '';
		return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
	}

	get user(): string {
		return userOf(this.raw('user', ''));
	}

	/** A field of a collection; undefined where it was not added or is empty. */
	option(name: string, collection = 'options'): unknown {
		const values = this.raw(collection, {});
		const value = isFields(values) ? values[name] : undefined;
		return value === '' || value === null ? undefined : value;
	}

	/** @throws {DifyError} naming the field */
	textOption(name: string): string | undefined {
		const value = this.option(name);
		if (value === undefined) return undefined;
		if (typeof value !== 'string' && typeof value !== 'number') throw wrong(name, 'a text', value);
		return String(value).trim() || undefined;
	}

	/** One of the choices of a field. @throws {DifyError} naming it, since another value would quietly mean the default */
	choice<const T extends string>(name: string, choices: readonly T[]): T {
		return choiceOf(name, this.raw(name, choices[0]), choices);
	}

	choiceOption<const T extends string>(name: string, choices: readonly T[]): T {
		return choiceOf(name, this.option(name) ?? choices[0], choices);
	}

	/** @throws {DifyError} naming the field */
	switched(name: string, fallback: boolean): boolean {
		return switchedOf(name, this.raw(name, fallback));
	}

	/** @throws {DifyError} naming the field */
	flag(name: string, fallback: boolean): boolean {
		return switchedOf(name, this.option(name) ?? fallback);
	}

	/** @throws {DifyError} naming the field */
	number(name: string, fallback: number, least = 0, most = Infinity): number {
		return numberOf(name, this.option(name) ?? fallback, least, most);
	}

	/** Seconds in the node, milliseconds in the library; undefined where it was not added. */
	milliseconds(name: string): number | undefined {
		return this.option(name) === undefined ? undefined : Math.round(this.number(name, 0) * 1000);
	}

	/** "Return All" and "Limit". */
	most(): Most {
		return this.switched('returnAll', false) ? 'all' : Math.floor(numberOf('limit', this.raw('limit', 50), 1));
	}
}

/** @param choices the default is the first of them */
export function choiceOf<const T extends string>(name: string, value: unknown, choices: readonly T[]): T {
	const known = choices.find((choice) => choice === value);
	if (known === undefined) throw wrong(name, `one of ${choices.join(', ')}`, value);
	return known;
}

function switchedOf(name: string, value: unknown): boolean {
	const said = switchOf(value);
	if (said === undefined) throw wrong(name, 'true or false', value);
	return said;
}

/** The fields limit what is typed, but not what comes out of an expression. */
function numberOf(name: string, value: unknown, least: number, most = Infinity): number {
	const number = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN;
	if (Number.isFinite(number) && number >= least && number <= most) return number;
	throw wrong(name, most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`, value);
}

function wrong(name: string, wanted: string, value: unknown): DifyError {
	const shown = JSON.stringify(value) ?? String(value);
	return refusedHere(
		'invalidParam',
		`The field "${name}" must be ${wanted}, but is ${shown.slice(0, 100)}`,
		'Correct the field in the node.',
	);
}
