/** The files that came with a chat message. */
import type { OperationCall } from './operation';
import { getBinaryProperties } from '../../../lib/n8n/binary';
import { isChatMessage } from '../../../lib/n8n/trigger-files';

type ChatCall = Pick<OperationCall, 'context' | 'itemIndex' | 'source'>;

/**
 * Whether a binary field that the node names is missing because the chat message came without that file, which is no error.
 * In other items, a missing field is one, where the field is read.
 */
export function isMissingInMessage(
	{ context, itemIndex, source }: ChatCall,
	property: string,
): boolean {
	if (getBinaryProperties(context, itemIndex).includes(property)) return false;
	return isChatMessage(context, source.item());
}
