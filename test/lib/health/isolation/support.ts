import type { SourceMessage } from '../../../../lib/chat/types';

/** All texts of some messages. */
export const textOf = (messages: readonly SourceMessage[]) =>
	messages.map(({ content }) => String(content)).join('\n');
