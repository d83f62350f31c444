/** A file in an item, as n8n stores it without a folder for files. */
export const binaryFile = (
	content: string | Buffer,
	fileName: string,
	mimeType = 'text/plain',
) => ({ data: Buffer.from(content as string).toString('base64'), mimeType, fileName });
