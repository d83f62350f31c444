import type { ToolCallPiece } from '../types';
import { isBeginning, isNothing, type OpenCall } from './open-call';

/** A piece, and the call with its index or its id, which it may continue. */
export class Comparison {
	readonly isOtherName: boolean;
	/** Both have an id that can be compared. */
	readonly haveIds: boolean;
	readonly isOtherId: boolean;

	/** @param together both came in one chunk, in which servers list different calls */
	constructor(
		readonly piece: ToolCallPiece,
		readonly args: string,
		readonly before: OpenCall,
		readonly together: boolean,
		private readonly offered: readonly string[],
	) {
		const { id, name } = piece;
		this.isOtherName = name !== undefined && name !== before.name && before.name !== '';
		this.haveIds = id !== undefined && before.id !== undefined && !before.idsChange;
		this.isOtherId = this.haveIds && id !== before.id;
	}

	/** The piece has arguments that the call does not have yet. */
	get hasNewArguments(): boolean {
		return !isNothing(this.args) && !this.before.hasTheseArguments(this.args);
	}

	/** Whether another name is a tool of its own, and not the rest of a name that comes in pieces. */
	get isToolOfItsOwn(): boolean {
		const { piece, before, offered } = this;
		const { name = '', index, id } = piece;
		const hasKey = index !== undefined || id !== undefined;
		const areTools = offered.includes(name) && offered.includes(before.name);
		if (hasKey && !areTools) return false;
		return !isBeginning(before.name + name, offered) && !name.startsWith(before.name);
	}
}

type Rule = (comparison: Comparison) => boolean;

const NEXT_CALL_RULES: ReadonlyArray<[applies: Rule, isNext: Rule]> = [
	// An id with a name begins a call, whatever the index is (InternLM/lmdeploy issue 3412 numbers every call 0).
	[
		({ before, isOtherId, piece }) => !before.hasArguments && isOtherId && piece.name !== undefined,
		() => true,
	],
	[
		({ before }) => !before.hasArguments,
		({ isOtherName, together, isToolOfItsOwn }) => isOtherName && (together || isToolOfItsOwn),
	],
	// In the middle of the arguments.
	[({ before }) => !before.isClosed && !before.isEmpty, () => false],
	// Home-made servers give all calls one index, and send each name first.
	[
		({ piece, before }) => piece.name === undefined && before.isNamedAgain,
		({ args, hasNewArguments }) => args.trimStart().startsWith('{') && hasNewArguments,
	],
	[
		({ piece }) => piece.name === undefined,
		({ isOtherId, hasNewArguments }) => isOtherId && hasNewArguments,
	],
	[
		({ args }) => args.trim() === '',
		({ isOtherName, isOtherId, before }) => isOtherName || (isOtherId && !before.isEmpty),
	],
	[({ isOtherId, isOtherName, together }) => isOtherId || isOtherName || together, () => true],
	// The same name again. `{}` before or after the arguments is a placeholder (Bedrock behind gateways).
	[
		() => true,
		({ haveIds, before, hasNewArguments }) => !haveIds && !before.isEmpty && hasNewArguments,
	],
];

/** Whether a piece begins a new call: the first rule that applies says so. */
export function isNextCall(comparison: Comparison): boolean {
	const [, isNext] = NEXT_CALL_RULES.find(([applies]) => applies(comparison))!;
	return isNext(comparison);
}
