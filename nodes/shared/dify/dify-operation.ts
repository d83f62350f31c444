/** What the operations of the Dify nodes are, and what they are called with. */
import type { DifyClient } from '../../../lib/dify/client';
import type { NodeResource, Operation, OperationCall } from '../items/operation';

/** Access of an item's credential: to an app, or to the knowledge bases of a workspace. */
interface DifyAccess {
	/** Until the signal of the item aborts. */
	client: DifyClient;
}

/** Arguments of an operation: the item, and a client for its credential. */
export type DifyCall = OperationCall<DifyAccess>;

/** One operation, with or without a list entry of its own. */
export type DifyOperation = Operation<DifyAccess>;

/** A resource of a Dify node, with its operations. */
export type DifyResource = NodeResource<DifyOperation>;
