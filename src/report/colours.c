/* The categories: Okabe and Ito's six (Color Universal Design, 2008), then 14 found by search so that any two of the 20
   differ by at least 0.095 in OKLab (Ottosson 2020) to full sight and by 0.075 to sight without red, green or blue
   cones (Machado, Oliveira and Fernandes 2009), all of them visible on the background, the strongest first. A test
   measures this. */
#include "report/colours_int.h"

static const st_look looks[] = {
    [STRAIT_THEME_LIGHT] = {0xffffff,
                            0x222222,
                            0x444444,
                            0x888888,
                            0xe4e4e4,
                            0xd9d9d9,
                            0xa8a8a8,
                            {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x5a002d,
                             0x3c0fa5, 0xb400ff, 0x870000, 0xffd200, 0xa578ff, 0x786969, 0x69e1ff,
                             0x005a78, 0xb42d00, 0x4b1e69, 0x7800d2, 0xb4b4a5, 0xc3e1b4},
                            0,
                            0.95},
    [STRAIT_THEME_DARK] = {0x181a1f,
                           0xf0f0f0,
                           0xc4c6ca,
                           0x7d8087,
                           0x30333a,
                           0x3c4048,
                           0x6b6e75,
                           {0x56b4e9, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00, 0xf0e442, 0x96ffff,
                            0x692dd2, 0xb4e196, 0xc30096, 0x9687ff, 0x963c00, 0xe1b4c3, 0x0069a5,
                            0xa5b478, 0x784b69, 0xe1ffc3, 0x8769d2, 0x87d2ff, 0xb400ff},
                           0.12,
                           1},
};

const st_look *st_look_of(strait_theme theme) {
    return &looks[theme == STRAIT_THEME_DARK ? STRAIT_THEME_DARK : STRAIT_THEME_LIGHT];
}

/* Viridis at sixteen places, straight lines between. */
static const uint32_t viridis[] = {0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e,
                                   0x1f988b, 0x22a884, 0x35b779, 0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725};

uint32_t st_look_scale(const st_look *look, double share) {
    const int last = (int)(sizeof viridis / sizeof *viridis) - 1;
    const double clipped = share > 0 ? share < 1 ? share : 1 : 0;
    const double place = (look->scale_low + clipped * (look->scale_high - look->scale_low)) * last;
    const int i = (int)place < last ? (int)place : last - 1;
    uint32_t rgb = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        const double a = viridis[i] >> shift & 0xff, b = viridis[i + 1] >> shift & 0xff;
        rgb = rgb << 8 | (uint32_t)(a + (b - a) * (place - i) + 0.5);
    }
    return rgb;
}
