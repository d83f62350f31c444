import { chromium as playwright, type Browser, type Page } from 'playwright-core';

import { fs, path } from '../../support/node';
import { chromium, workFolder, type N8nServer } from './playground';

export type { Page } from 'playwright-core';

export interface Editor {
	page: Page;
	/** Writes a picture of the window into the work folder; its path is returned. */
	picture(name: string): Promise<string>;
	close(): Promise<void>;
}

/** n8n's editor in a real browser, logged in. */
export async function openEditor(n8n: N8nServer, login: { email: string; password: string }, theme: 'light' | 'dark' = 'light'): Promise<Editor> {
	const { executablePath, args } = chromium();
	const browser: Browser = await playwright.launch({ executablePath, args });
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: theme });
	const page = await context.newPage();
	page.setDefaultTimeout(20_000);
	await page.goto(`${n8n.url}/signin`);
	await page.locator('input[name="emailOrLdapLoginId"], input[type="email"]').first().fill(login.email);
	await page.locator('input[type="password"]').first().fill(login.password);
	await page.keyboard.press('Enter');
	await page.waitForURL((url) => !url.pathname.includes('signin'));
	const folder = workFolder('pictures');
	return {
		page,
		picture: async (name) => {
			const file = path.join(folder, `${name}.png`);
			fs.writeFileSync(file, await page.screenshot());
			return file;
		},
		close: async () => await browser.close(),
	};
}
