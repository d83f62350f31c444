/** What the operations of the Dify nodes are, and what they are called with. */
import type { DifyClient } from '../../../lib/dify/client';
import type { NodeResource, Operation, OperationCall } from '../run/operation';

/** Access of an item's credential: to an app, or to the knowledge bases of a workspace. */
interface DifyAccess {
	/** Until the signal of the item aborts. */
	client: DifyClient;
}

export type DifyCall = OperationCall<DifyAccess>;

export type DifyOperation = Operation<DifyAccess>;

export type DifyResource = NodeResource<DifyOperation>;
