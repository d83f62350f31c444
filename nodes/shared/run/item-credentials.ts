import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { hasExpression } from '../parameters';

/** Internals of n8n's contexts (n8n-core, node-execution-context.ts). */
interface Inside {
	additionalData?: { credentialsHelper?: { getDecrypted?(...given: unknown[]): Promise<unknown> } };
}

/**
 * Reads the credential of each item. n8n reads, decrypts and resolves a credential each time, which takes longer than a
 * short request. So it is read once, unless a value is an expression, which may differ between items.
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
		// Another n8n may lack these internals.
		return false;
	}
}
