/** Arguments that marks name, and their values as JSON. */
import type { CallProblem } from '../../rejected-call';

/** One argument. */
export interface NamedArgument {
	key: string;
	/** The value as JSON text. */
	json: string;
}

/** Arguments as they were read. */
export interface NamedArguments {
	list: NamedArgument[];
	/** Whether an attribute tells texts from other values. Default: false. */
	isTyped?: boolean;
	/** What is wrong with the first one that could not be read. */
	problem?: CallProblem;
}

/** JSON text of an object, in which a key may occur twice. */
export function toObject(list: readonly NamedArgument[]): string {
	const members = list.map(({ key, json }) => `${JSON.stringify(key)}:${json}`);
	return `{${members.join(',')}}`;
}
