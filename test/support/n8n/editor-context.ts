import type {
	ICredentialDataDecryptedObject,
	ILoadOptionsFunctions,
	INodeParameters,
} from 'n8n-workflow';

/** The context of lists in the editor. A parameter that is an error is thrown, as expressions about items are. */
export const editorContext = (
	credentials: ICredentialDataDecryptedObject,
	parameters: Record<string, unknown> = {},
) =>
	({
		getExecutionId: () => undefined,
		getCredentials: async () => await Promise.resolve(credentials),
		getNode: () => ({
			id: '1',
			name: 'Node',
			type: 'n',
			typeVersion: 1,
			position: [0, 0],
			parameters: {} as INodeParameters,
			credentials: { difyApi: { id: '1', name: 'Dify' } },
		}),
		getNodeParameter: (name: string, fallback: unknown) => {
			const value = parameters[name] ?? fallback;
			if (value instanceof Error) throw value;
			return value;
		},
		getCurrentNodeParameter: (name: string) => parameters[name],
		helpers: {},
	}) as unknown as ILoadOptionsFunctions;
