// Opens a library in Chromium with an empty cache and says when it was first painted, and when the
// first asset's name stood there, milliseconds after navigation began.
//
// node paint.mjs URL NAME < session token; playwright-core is taken from services/web/node_modules.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(new URL('../../services/web/package.json', import.meta.url))
const { chromium } = require('playwright-core')
const [url, name] = process.argv.slice(2)
const token = readFileSync(0, 'utf8').trim()

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync', '--no-first-run'],
})
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
// Cookies know no port, and a host cookie can only be set for an https address.
await context.addCookies([
  { name: '__Host-kinora', value: token, url: 'https://localhost/', secure: true, httpOnly: true, sameSite: 'Lax' },
])
const page = await context.newPage()
await page.addInitScript((wanted) => {
  const look = () => {
    if (document.body?.innerText.includes(wanted)) {
      // Two frames later it is on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => { window.seenAt = performance.now() }))
    } else {
      requestAnimationFrame(look)
    }
  }
  look()
}, name)
await page.goto(url)
await page.waitForFunction(() => window.seenAt !== undefined, undefined, { timeout: 30_000 })
const result = await page.evaluate(() => ({
  painted_ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  listed_ms: window.seenAt,
}))
console.log(JSON.stringify(result))
await browser.close()
