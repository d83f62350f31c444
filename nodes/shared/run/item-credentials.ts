import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { hasExpression } from '../parameters';

/** What n8n's contexts have beside their public face (n8n-core, node-execution-context.ts). */
interface Inside {
	additionalData?: { credentialsHelper?: { getDecrypted?(...given: unknown[]): Promise<unknown> } };
}

/**
 * The credential of each item. n8n asks its database, decrypts, and resolves the expressions of a credential anew each
 * time, which takes longer than a short request. So it is read once, unless one of its values is an expression: then it
 * may be another one for each item.
 */
export function itemCredentials(
	context: IExecuteFunctions,
	type: string,
): (itemIndex: number) => Promise<ICredentialDataDecryptedObject> {
	let isFixed: Promise<boolean> | undefined;
	let read: Promise<ICredentialDataDecryptedObject> | undefined;
	return async (itemIndex) => {
		if (context.getInputData().length > 1) isFixed ??= isWithoutExpressions(context, type);
		if ((await isFixed) !== true) return await context.getCredentials(type, itemIndex);
		return await (read ??= context.getCredentials(type, itemIndex));
	};
}

async function isWithoutExpressions(context: IExecuteFunctions, type: string): Promise<boolean> {
	try {
		const { additionalData } = context as unknown as Inside;
		const details = context.getNode().credentials?.[type];
		const asWritten = [additionalData, details, type, context.getMode(), undefined, true];
		const raw = await additionalData!.credentialsHelper!.getDecrypted!(...asWritten);
		return typeof raw === 'object' && raw !== null && !hasExpression(raw);
	} catch {
		// An n8n that is built differently.
		return false;
	}
}
