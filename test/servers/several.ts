import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { conversationKey } from '../../lib/chat/request/conversation-key';
import { resolveBaseUrl } from '../../lib/servers/base-url';
import { byPreference } from '../../lib/servers/pool/sticky';
import type { LlamaServerSim } from './llama-server';

/** Credential data with several servers; the first one is the Base URL. */
export function credentialOf(
	servers: readonly LlamaServerSim[],
	more: ICredentialDataDecryptedObject = {},
	further: readonly object[] = [],
): ICredentialDataDecryptedObject {
	const [first, ...others] = servers.map(({ url }) => url) as [string];
	const server = others.map((baseUrl, at) => ({ baseUrl, ...further[at] }));
	return {
		baseUrl: first,
		furtherServers: { server },
		...more,
	} as unknown as ICredentialDataDecryptedObject;
}

/** A question whose conversation is assigned to this server. */
export function questionFor(
	server: LlamaServerSim,
	servers: readonly LlamaServerSim[],
	model = 'sim-model',
): string {
	for (let at = 0; ; at++) {
		const question = `Question ${at}`;
		const key = conversationKey(model, [{ role: 'user', content: question }]);
		if (byPreference(key, servers, ({ url }) => resolveBaseUrl(url).api)[0] === server)
			return question;
	}
}

/** Bodies of the generation requests that a server got. */
export function generationsAt({ requests }: LlamaServerSim): Array<Record<string, unknown>> {
	return requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as Record<string, unknown>);
}
