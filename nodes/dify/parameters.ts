import type { IExecuteFunctions } from 'n8n-workflow';

import { refusedHere } from '../../lib/dify/failure';
import { userOf } from '../../lib/dify/ids';
import type { Most } from '../../lib/dify/paging';
import { isFields } from '../../lib/dify/read';

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

	textOption(name: string): string | undefined {
		const value = this.option(name);
		return value === undefined ? undefined : String(value).trim() || undefined;
	}

	flag(name: string, fallback: boolean): boolean {
		const value = this.option(name);
		return value === undefined ? fallback : value === true || value === 'true';
	}

	/** @throws {DifyError} naming the field */
	number(name: string, fallback: number, least = 0): number {
		return numberOf(name, this.option(name) ?? fallback, least);
	}

	/** Seconds in the node, milliseconds in the library; undefined where it was not added. */
	milliseconds(name: string): number | undefined {
		return this.option(name) === undefined ? undefined : Math.round(this.number(name, 0) * 1000);
	}

	/** "Return All" and "Limit". */
	most(): Most {
		return this.raw('returnAll', false) === true ? 'all' : Math.floor(numberOf('limit', this.raw('limit', 50), 1));
	}
}

function numberOf(name: string, value: unknown, least: number): number {
	const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
	if (Number.isFinite(number) && number >= least) return number;
	throw refusedHere('invalid-param', `The field "${name}" must be a number from ${least}, but is ${JSON.stringify(value)}`, 'Correct the field in the node.');
}
